/* The one dialog and the one note of session.js. Text is set as text content, never as markup. */

let dialog = null;
let now = "";
let handlers = {};
let countdown = null;
let heard = null;
let noted = null;

/** State of the dialog: "", "warning", "sign-in", "signed-out" or "another". */
export function state() {
  return now;
}

export function hide() {
  if (now === "") return;
  now = "";
  document.documentElement.classList.remove("covered");
  dialog.close();
  dialog.replaceChildren();
}

/** Shows the warning or the question for the password. */
export function show(what, given) {
  handlers = given;
  if (what === "warning" && now === "warning") {
    tellLeft(given.left);
    return;
  }
  open(what, what === "warning" ? warning(given) : password(given));
}

/** Takes the page out of sight, and says why. It comes back by `hide` alone. */
export function cover(why, given) {
  if (now === why) return;
  handlers = given;
  document.documentElement.classList.add("covered");
  open(why, why === "another" ? another() : signedOut());
}

/** Shows a line at the foot of the page, which takes no focus, and a button in it; "" removes it. */
export function note(text, press) {
  if (text === "") {
    noted?.remove();
    noted = null;
    return;
  }
  if (!noted) {
    noted = element("div", { className: "session-note", role: "status" });
    document.body.append(noted);
    // Screen readers announce what changes in an element that is there already.
    const made = noted;
    setTimeout(() => noted === made && note(text, press), 100);
    return;
  }
  if (noted.firstChild?.textContent === text) return;
  noted.replaceChildren(element("p", { textContent: text }));
  if (press) noted.append(button(press[0], "btn", press[1]));
}

// ------------------------------------------------------------------------------------- Contents

function warning({ left }) {
  countdown = element("b");
  // A screen reader announces three moments of the countdown, not each second.
  heard = element("span", { className: "unseen", role: "status" });
  const text = paragraph("You will be signed out in ", countdown, ", because this browser has not used the account for a while.");
  const parts = [title("Are you still there?"), text, heard, problem(), row(button("Stay signed in", "btn primary", stay))];
  tellLeft(left);
  return parts;
}

function tellLeft(left) {
  const seconds = Math.max(0, Math.ceil(left / 1000));
  countdown.textContent = seconds >= 120 ? "2 minutes" : seconds === 1 ? "1 second" : `${seconds} seconds`;
  if ([60, 30, 10].includes(seconds)) heard.textContent = `${seconds} seconds left`;
}

function password({ text, email }) {
  return [
    title("Sign in to go on"),
    paragraph(text),
    problem(),
    field("session-email", "E-mail address", { type: "text", value: email, readOnly: true, autocomplete: "username" }),
    ...secret(),
    row(submit("Sign in"), button("Cancel", "btn", cancel)),
  ];
}

function signedOut() {
  return [
    title("This browser is signed out"),
    paragraph("What you typed on this page is kept, out of sight. Sign in to the same account to go on with it."),
    problem(),
    field("session-email", "E-mail address", { type: "text", inputMode: "email", autocomplete: "username" }),
    ...secret(),
    row(submit("Sign in"), button("Discard it", "btn", reload)),
  ];
}

function another() {
  return [
    title("This browser is now signed in to another account"),
    paragraph("This page is of the account before, and nothing more is done on it. To go on with what you typed, sign out in the other tab and come back here. To use the other account, load the page anew."),
    row(button("Load the page anew", "btn primary", reload)),
  ];
}

function secret() {
  const kept = element("input", { type: "checkbox", id: "session-keep" });
  const label = element("label", { htmlFor: "session-keep", textContent: "Keep me signed in" });
  const hint = element("p", { className: "hint", id: "session-keep-hint", textContent: "Leave it off on a shared computer, and sign out when you are done." });
  kept.setAttribute("aria-describedby", hint.id);
  return [
    field("session-password", "Password", { type: "password", autocomplete: "current-password" }),
    element("div", { className: "check" }, kept, label, hint),
  ];
}

// -------------------------------------------------------------------------------------- Actions

async function signIn() {
  const [email, typed, kept] = ["email", "password", "keep"].map((it) => document.getElementById(`session-${it}`));
  if (typed.value === "") {
    tell("Enter your password.");
    typed.focus();
    return;
  }
  await atWork(() => handlers.signIn(email.value, typed.value, kept.checked));
  if (typed.isConnected) typed.select();
}

async function stay() {
  await atWork(() => handlers.stay());
}

/** Runs one try at a time, and shows its failure if the dialog is still in the same state. */
async function atWork(attempt) {
  if (dialog.getAttribute("aria-busy")) return;
  const was = now;
  dialog.setAttribute("aria-busy", "true");
  tell("");
  const failed = await attempt().catch(() => "This did not work. Try again in a moment.");
  dialog.removeAttribute("aria-busy");
  if (failed && now === was) tell(failed);
}

function tell(text) {
  const place = dialog.querySelector("[role=alert]");
  place.hidden = text === "";
  place.replaceChildren(...(text ? [element("p", { textContent: text })] : []));
}

function cancel() {
  hide();
  handlers.cancel();
}

function reload() {
  location.reload();
}

function open(what, parts) {
  dialog ??= make();
  now = what;
  dialog.setAttribute("role", what === "warning" ? "alertdialog" : "dialog");
  dialog.classList.toggle("covers", what === "signed-out" || what === "another");
  const form = element("form", { className: "form", noValidate: true }, ...parts);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    // Where nothing is typed, Enter presses the button that has the focus.
    if (now === "sign-in" || now === "signed-out") void signIn();
  });
  dialog.replaceChildren(form);
  if (!dialog.isConnected) document.body.append(dialog);
  if (!dialog.open) dialog.showModal();
  const first = dialog.querySelector("input:not([readonly]), button");
  first.focus();
}

function make() {
  const made = element("dialog", { className: "session-dialog card" });
  made.setAttribute("aria-labelledby", "session-title");
  made.setAttribute("aria-describedby", "session-text");
  // Escape: a user who is warned stays signed in; one who is asked for the password may not want to.
  const escape = () => {
    if (now === "warning") void stay();
    else if (now === "sign-in") cancel();
  };
  made.addEventListener("cancel", (event) => {
    event.preventDefault();
    escape();
  });
  // At a second Escape, or before the user has touched the page, browsers close it without asking.
  made.addEventListener("close", () => {
    if (now === "" || made.open) return;
    made.showModal();
    escape();
  });
  return made;
}

// ------------------------------------------------------------------------------------- Elements

function element(name, { role, ...properties } = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  if (role) made.setAttribute("role", role);
  made.append(...children);
  return made;
}

const title = (textContent) => element("h2", { id: "session-title", textContent });
const paragraph = (...children) => element("p", { id: "session-text" }, ...children);
const row = (...children) => element("div", { className: "row" }, ...children);
const problem = () => element("div", { className: "notice danger", role: "alert", hidden: true });
const submit = (textContent) => element("button", { type: "submit", className: "btn primary", textContent });

function button(textContent, className, press) {
  const made = element("button", { type: "button", className, textContent });
  made.addEventListener("click", () => void press());
  return made;
}

function field(id, textContent, properties) {
  const label = element("label", { htmlFor: id, textContent });
  const input = element("input", { id, autocapitalize: "none", spellcheck: false, ...properties });
  return element("div", { className: "field" }, label, input);
}
