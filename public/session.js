/*
 * Keeps the text of a page's forms when the session ends. Only pages with a session load it. The page
 * warns before the idle end, asks for the password in place when a call is refused because the session
 * has ended, and then repeats the call. Every call names the account that the page was made for, so that
 * none acts on another (`src/server/page_account.rs`).
 *
 * It wraps `fetch`, which the page's program calls: neither a form nor a list has to know of it.
 */
import { cover, hide, note, show, state } from "./session-dialog.js";

const { account, email, number: numberAtFirst, idleTimeoutS, leftS } = document.querySelector("script[data-account]").dataset;
const send = window.fetch.bind(window);
/** Functions that need no session. */
const OPEN = ["sign_in", "sign_out", "sign_up"];
/** Functions that move the session's absolute end. */
const RESTARTING = ["change_password", "confirm_password"];
/** While a user types, the session is prolonged this often at most, in milliseconds. */
const TYPING_EVERY = 300_000;

let number = Number(numberAtFirst);
/** When this browser last used the account. The server saw the request of this page after it began. */
let usedAt = Date.now() - performance.now();
/** How long the session certainly goes on after it was used, in milliseconds. */
let idle = certain(Number(idleTimeoutS));
/** When a session of the account was copied, if its owner is to be told; `isCopied` once they signed in here since. */
let copiedAt = null;
let isCopied = false;
let endsAt = Date.now() + Number(leftS) * 1000;
/** Time of use after which the session ended, once the user was told so. */
let toldOf = 0;
let timer = 0;
let isPinging = false;
/** The user cancelled the sign-in and has done nothing since: calls that the page makes by itself open no dialog. */
let isDeclined = false;
/** Calls that wait until the account is signed in again; each is told whether it is. */
let waiting = [];

// ---------------------------------------------------------------------------------- The calls

window.fetch = (resource, init) => {
  const url = new URL(resource instanceof Request ? resource.url : resource, location.href);
  const isOurs = url.origin === location.origin && url.pathname.startsWith("/api/");
  return isOurs ? call(new Request(resource, init), url.pathname.slice("/api/".length)) : send(resource, init);
};

/** Makes a call of the page, and makes it again once the account is signed in again. */
async function call(request, name) {
  request.headers.set("x-page-account", account);
  for (;;) {
    const at = Date.now();
    const response = await send(request.clone());
    const code = await codeOf(response);
    if (code === "another_account") {
      hidePage("another");
      if (await signedInAgain()) continue;
    } else if (code === "sign_in_needed") {
      if (OPEN.includes(name) || isDeclined) return response;
      if (state() === "" || state() === "warning") askForPassword("You were signed out.");
      if (await signedInAgain()) continue;
    } else if (!OPEN.includes(name) && response.status < 500) {
      used(at);
      if (response.ok && RESTARTING.includes(name)) void ping();
    }
    return response;
  }
}

/** Why a call was refused; "" if it was not. */
async function codeOf(response) {
  if (response.ok) return "";
  const refusal = await response
    .clone()
    .json()
    .catch(() => ({}));
  return refusal.code ?? "";
}

function signedInAgain() {
  return new Promise((resolve) => waiting.push(resolve));
}

function release(isSignedIn) {
  const released = waiting;
  waiting = [];
  for (const resolve of released) resolve(isSignedIn);
}

/** Calls a function for this page itself; its answer, or `{ code }`. */
async function ask(name, form) {
  try {
    const init = form ? { method: "POST", body: new URLSearchParams(form) } : {};
    const headers = { accept: "application/json", "x-page-account": account };
    const response = await send(new Request(`/api/${name}`, { ...init, headers }));
    const answer = await response.json();
    return response.ok ? answer : { code: "unknown", ...answer };
  } catch {
    return { code: "unreachable" };
  }
}

/** Asks who is signed in, which prolongs the session; the code of the refusal, if it is refused. */
async function ping() {
  const at = Date.now();
  const viewer = await ask("viewer");
  if (viewer.code) return viewer.code;
  ({ number, copied_at: copiedAt } = viewer.session);
  idle = certain(viewer.session.idle_timeout_s);
  endsAt = at + (viewer.session.ends_at - viewer.now) * 1000;
  used(at);
  return "";
}

// ------------------------------------------------------------------------------ Signing in again

function askForPassword(reason) {
  const text = isTyped() ? `${reason} What you typed is still here.` : reason;
  show("sign-in", { text, email, signIn, cancel });
}

function cancel() {
  isDeclined = true;
  release(false);
}

for (const kind of ["pointerdown", "keydown", "click"]) {
  addEventListener(kind, () => (isDeclined = false), { capture: true });
}

/** Keeps the user on a page in which they have typed something: the sign-in page would discard it. */
document.addEventListener(
  "click",
  (event) => {
    const isElsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
    if (isElsewhere || !event.target.closest("a[href^='/sign-in']") || !isTyped()) return;
    event.preventDefault();
    askForPassword("You were signed out.");
  },
  { capture: true },
);

/** Signs in to the account of this page, and to no other; what to tell the user if it fails. */
async function signIn(typedEmail, password, isKept) {
  // The address of a page that is out of sight is typed: it is not shown to the next user of the browser.
  if (keyOf(typedEmail) !== keyOf(email)) return "This page is not of that account. Use the address that it was opened with, or load the page anew.";
  const answer = await ask("sign_in", { email, password, ...(isKept ? { keep_me_signed_in: "true" } : {}) });
  const code = answer.code || (await ping());
  if (code === "") {
    isCopied = copiedAt !== null;
    back();
  } else if (code === "another_account") {
    hidePage("another");
  } else {
    return words(code, answer);
  }
  return "";
}

const keyOf = (address) => address.trim().normalize("NFC").toLowerCase();

function words(code, { retry_after_s: seconds }) {
  switch (code) {
    case "wrong_email_or_password":
      return "That password does not match this account. Check it and try again.";
    case "fields":
      return "Enter your password.";
    case "too_many_requests":
      return `There were too many tries. Wait ${seconds} s and try again.`;
    case "sign_in_needed":
      return "Your browser did not keep the cookie that signs you in. Allow cookies for this site in its settings and try again.";
    case "intermediary":
      return "A proxy between you and the server answered in its place. Check your connection and try again in a moment.";
    case "unreachable":
      return "The server could not be reached. Check your connection and try again.";
    default:
      return "This did not work. Try again in a moment, or load the page anew.";
  }
}

/** The account is signed in again, here or in another tab: everything goes on. */
function back() {
  hide();
  release(true);
  tick();
}

// -------------------------------------------------------------------------------------- The times

/** Nodes of one deployment learn late that a session is used: by a minute or a quarter of the time. */
function certain(idle_s) {
  return (idle_s - Math.min(60, idle_s / 4)) * 1000;
}

/** The warning comes so long before the end: two minutes, and 25 seconds at least (WCAG 2.2.1). */
function lead() {
  return Math.min(120_000, Math.max(25_000, idle / 2));
}

/** This browser used the account at this time. The other tabs learn it too. */
function used(at) {
  if (at <= usedAt) return;
  tabs.postMessage([account, number, at]);
  usedBy(at);
}

function usedBy(at) {
  usedAt = Math.max(usedAt, Math.min(Number(at) || 0, Date.now()));
  if (state() === "warning" && usedAt + idle - Date.now() > lead()) hide();
  tick();
}

/** Shows the warning or the note that is due, and sets the timer for the next. */
function tick() {
  clearTimeout(timer);
  const now = Date.now();
  const left = usedAt + idle - now;
  const leftInAll = endsAt - now;
  if (left <= 0 && toldOf !== usedAt && leftInAll > left) {
    toldOf = usedAt;
    if (state() === "" || state() === "warning") askForPassword("This browser did not use the account for a while. Sign in again to go on.");
  } else if (left > 0 && left <= lead() && leftInAll > left) {
    if (state() === "" || state() === "warning") show("warning", { left, stay });
  }
  tellAbsoluteEnd(leftInAll);
  const next = [left - lead(), leftInAll - 2 * lead(), leftInAll].filter((it) => it > 0);
  if (state() === "warning" || (leftInAll > 0 && leftInAll <= 2 * lead())) next.push(1000);
  timer = setTimeout(tick, Math.min(2 ** 31 - 1, ...next));
}

/** No use of the account moves the absolute end, so that a user who has typed something must know. */
function tellAbsoluteEnd(left) {
  if (isCopied) {
    // A page that is loaded says more.
    note("You were signed out because a copy of your sign-in may have been used.", ["Load the page anew", () => location.reload()]);
  } else if (left > 2 * lead() || !isTyped()) {
    note("");
  } else if (left > 0) {
    const at = new Date(endsAt).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    note(`You will be signed out at ${at}: a sign-in lasts no longer. Send what you have typed before, or sign in again then; it stays on this page.`);
  } else if (state() === "") {
    note("You were signed out: a sign-in lasts no longer. What you typed is still here.", ["Sign in", () => askForPassword("Your sign-in has reached its end.")]);
  }
}

/** The user answers the warning; what to tell them if the session is not prolonged. */
async function stay() {
  const code = await ping();
  if (code === "") hide();
  else if (code === "sign_in_needed") askForPassword("You were signed out.");
  else if (code === "another_account") hidePage("another");
  else return words(code, {});
  return "";
}

/** Typing prolongs the session. A refusal opens no dialog while the user types. */
document.addEventListener("input", async () => {
  if (isPinging || state() !== "" || Date.now() - usedAt < Math.min(TYPING_EVERY, idle / 4)) return;
  isPinging = true;
  if ((await ping()) === "another_account") hidePage("another");
  isPinging = false;
});

document.addEventListener("visibilitychange", tick);

// ---------------------------------------------------------------------------------- The other tabs

/** Whether the user would lose something if the page were loaded anew. */
function isTyped() {
  const fields = document.querySelectorAll("main :is(input, textarea, select):not([type=hidden], [readonly]), main .secret-text");
  return [...fields].some((field) => {
    if (field instanceof HTMLSelectElement) {
      const first = Math.max(0, [...field.options].findIndex((option) => option.defaultSelected));
      return field.selectedIndex !== first;
    }
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    // A key that is shown once has no value.
    return field.value === undefined || (field.value !== field.defaultValue && field.value !== "");
  });
}

/**
 * Hides the page: the browser is signed in to no account, or to another. The form is hidden too, since
 * its text is as private as the lists beside it.
 */
function hidePage(why) {
  cover(why, { signIn });
}

tabs.onmessage = async ({ data }) => {
  const [of, ofNumber, at] = Array.isArray(data) ? data : [];
  if (of === account) {
    const isOver = state() !== "" && state() !== "warning";
    if (!isOver && ofNumber !== number && !isTyped()) location.reload();
    number = ofNumber;
    usedBy(at);
    if (isOver) back();
  } else if (isTyped()) {
    hidePage(of ? "another" : "signed-out");
    // The other page may be older than this browser's session.
    const code = await ping();
    if (code === "") back();
    else if (code === "another_account") hidePage("another");
    else if (code === "sign_in_needed") hidePage("signed-out");
  } else {
    location.reload();
  }
};

tick();
