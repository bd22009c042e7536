// Plays the victim: a person in the victim's own page, with both clients. What it shows comes from the requests of that
// moment, as the server recorded them; a verdict is worked out from the answers alone.
const main = document.querySelector("main");
const { other, sibling } = main.dataset;

// ---- The two clients of the service ----------------------------------------------------------------------------------

/** Client A keeps its token here, where scripts can read it. */
const TOKEN = "access_token";

const random = () => crypto.randomUUID().replaceAll("-", "");

/** One request of the victim's page to the service. Whatever belongs to a run is recorded. */
async function ask(run, path, { form, token } = {}) {
  const response = await fetch(run ? `${path}?run=${run.id}` : path, {
    method: form ? "POST" : "GET",
    headers: token ? { Authorization: `Bearer ${token}` } : {},
    body: form && new URLSearchParams(form),
  });
  const text = await response.text();
  return { status: response.status, body: text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : null };
}

/** What the play cannot go on without. */
async function must(asked, expected, what) {
  const answer = await asked;
  if (answer.status !== expected) throw new Error(`${what} was answered ${answer.status}, not ${expected}.`);
  return answer;
}

/** What the victim types to sign in. */
const typed = ({ email, password }) => ({ form: { email, password } });

const a = {
  async signIn(run) {
    const { body } = await must(ask(run, "/lab/tokens", typed(run)), 200, "Signing in to A");
    localStorage.setItem(TOKEN, body.access_token);
    run.expiresAtMs = body.expires_at * 1000;
  },
  // Nothing is told to the server: it has nothing that it could end.
  signOut: () => localStorage.removeItem(TOKEN),
  list: (run) => ask(run, "/lab/notes", { token: localStorage.getItem(TOKEN) }),
  write: (run, text) => ask(run, "/lab/notes", { form: { text }, token: localStorage.getItem(TOKEN) }),
};

const b = {
  signUp: (run) => must(ask(run, "/api/sign_up", typed(run)), 200, "Signing up"),
  signIn: (run) => must(ask(run, "/api/sign_in", typed(run)), 200, "Signing in to B"),
  signOut: (run) => must(ask(run, "/api/sign_out", { form: {} }), 200, "Signing out of B"),
  list: (run) => ask(run, "/api/list_notes"),
  write: (run, text) => ask(run, "/api/write_note", { form: { text } }),
};

const clients = { a, b };

/** A new account, signed in to both clients, with a note that is nobody else's business. */
async function signUp(run) {
  await b.signUp(run);
  await a.signIn(run);
  await must(b.write(run, run.secret), 200, "Writing a note");
}

// ---- The attacker ----------------------------------------------------------------------------------------------------

/** Has the attacker do something on his side. */
async function attacker(run, path, { query = {}, body, method = "POST" } = {}) {
  const response = await fetch(`${other}${path}?${new URLSearchParams({ run: run.id, ...query })}`, {
    method,
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : null };
}

/** He asks for the notes from his own computer, with what he has from this source for this client. */
async function replay(run, source, client) {
  const { body } = await must(attacker(run, "/replay", { query: { source, client } }), 200, "The attacker's client");
  await draw(run);
  const asked = run.entries.findLast(({ who }) => who === "attacker");
  return { ...body, reads: body.read.includes(run.secret), decided: [asked.decided] };
}

/** A script of his runs in this page, as one from a hacked package would. */
async function inject(run, file) {
  const script = document.createElement("script");
  const loaded = new Promise((done, failed) => {
    script.onload = done;
    script.onerror = () => failed(new Error("The script did not load."));
  });
  script.src = `${other}/${file}?run=${run.id}`;
  document.head.append(script);
  await loaded;
  script.remove();
}

/** The injected script reads what it can, and he has it. */
async function steal(run) {
  await inject(run, "injected.js");
  await until("what the script sends", async () => (await showLoot(run)).some(({ source }) => source === "script"));
}

/** Malware copies what the browser has on the disk for both clients. */
async function copyDisk(run) {
  await must(ask(run, "/lab/copy", { form: {}, token: localStorage.getItem(TOKEN) }), 204, "The malware");
  await showLoot(run);
}

/** A page of his is opened in the victim's browser; here, so that it can be seen. */
async function openPage(run, origin, kind) {
  const frame = document.createElement("iframe");
  const loaded = new Promise((done) => (frame.onload = done));
  frame.title = `A page of the attacker's at ${origin}: ${kind}`;
  frame.src = `${origin}/pages/${kind}?run=${run.id}`;
  document.querySelector("#frames").append(frame);
  await loaded;
  return frame;
}

// ---- The attacks -----------------------------------------------------------------------------------------------------

const said = ({ status, took_ms }) => `He was answered ${status} in ${ms(took_ms)}.`;
const isRefused = ({ status }) => status >= 400 && status < 500;

/** He shows what he has, and reads the victim's note or does not. */
function judge(run, answer, { works, fails }) {
  const { decided } = answer;
  if (answer.status === 200 && answer.reads) {
    return { verdict: works, why: `${said(answer)} He reads: “${run.secret}”`, decided };
  }
  if (isRefused(answer)) return { verdict: fails, why: said(answer), decided };
  return { verdict: "unexpected", why: said(answer), decided };
}

/** Whether an access token that he has still works; and how long it will. */
function judgeCopy(run, answer) {
  const judged = judge(run, answer, { works: "still-works", fails: "refused" });
  return judged.verdict === "still-works" ? { ...judged, goodUntilMs: run.expiresAtMs } : judged;
}

const attacks = {
  async injected(run) {
    await signUp(run);
    await steal(run);
    const words = { works: "taken-over", fails: "nothing-taken" };
    return {
      a: judge(run, await replay(run, "script", "a"), words),
      b: judge(run, await replay(run, "script", "b"), words),
    };
  },

  async password(run) {
    await signUp(run);
    await steal(run);
    await must(attacker(run, "/sign-in", { body: { email: run.email, password: run.password } }), 200, "His sign-in");
    const before = await replay(run, "own", "b");
    if (!before.reads) throw new Error("The attacker did not get in with the right password.");
    const form = { current_password: run.password, new_password: random() };
    await must(ask(run, "/api/change_password", { form }), 200, "Changing the password");
    const changedAt = performance.now();
    const own = await replay(run, "own", "b");
    const since = performance.now() - changedAt;
    const judged = judge(run, own, { works: "still-works", fails: "refused" });
    return {
      a: judgeCopy(run, await replay(run, "script", "a")),
      b: { ...judged, why: `His own session had worked. ${said(own)} That was ${ms(since)} after the change.` },
    };
  },

  async "sign-out"(run) {
    await signUp(run);
    await steal(run);
    await copyDisk(run);
    const before = await replay(run, "disk", "b");
    if (!before.reads) throw new Error("The copy of the cookie did not work before.");
    a.signOut();
    await b.signOut(run);
    const answer = await replay(run, "disk", "b");
    return {
      a: judgeCopy(run, await replay(run, "script", "a")),
      b: judge(run, answer, { works: "still-works", fails: "refused" }),
    };
  },

  async copy(run) {
    await signUp(run);
    await copyDisk(run);
    const before = await replay(run, "disk", "b");
    if (!before.reads) throw new Error("The copy of the cookie did not work at first.");
    // The victim goes on. After a second the cookie is renewed, and the next request shows the new one.
    const renewed = await until("the renewal", async () => {
      await must(b.list(run), 200, "The victim's own request");
      await draw(run);
      return run.entries.find((it) => it.path === "/api/list_notes" && it.who === "browser" && it.sets_session);
    }, 200);
    await must(b.list(run), 200, "The victim's own request");
    await draw(run);
    const shown = run.entries.findLast((it) => it.number > renewed.number && it.who === "browser");
    // The one before is good for a second more, by the server's clock.
    const graceIsOverAtMs = (Math.floor(shown.at_ms / 1000) + 1) * 1000;
    await until("the end of the grace", async () => (await draw(run)) >= graceIsOverAtMs);
    const answer = await replay(run, "disk", "b");
    const victims = await b.list(run);
    await b.signIn(run);
    const { body } = await must(ask(run, "/api/list_activity"), 200, "The list of what happened");
    const isTold = body.entries.some(({ kind }) => kind === "session_copied");
    const isNoticed = isRefused(answer) && isRefused(victims) && isTold;
    const why = `${said(answer)} The victim's session ended as well, and at the next sign-in they are told of the copy.`;
    return {
      a: judgeCopy(run, await replay(run, "disk", "a")),
      b: isNoticed
        ? { verdict: "noticed", why, decided: answer.decided }
        : { verdict: "unexpected", why: `${said(answer)} The victim was answered ${victims.status}.` },
    };
  },

  async "cross-site"(run) {
    await signUp(run);
    const got = { a: [], b: [] };
    for (const [origin, who] of [[other, "other-site"], [sibling, "sibling"]]) {
      for (const kind of ["form", "fetch", "image", "socket"]) {
        const mark = run.last;
        const frame = await openPage(run, origin, kind);
        const arrived = await until(`the requests of the ${kind}`, async () => {
          await draw(run);
          const found = run.entries.filter((it) => it.number > mark && it.who === who);
          return found.length >= 2 && found;
        });
        for (const entry of arrived) got[entry.path.startsWith("/lab/") ? "a" : "b"].push(entry);
        frame.remove();
      }
    }
    const judged = async (client) => {
      const { status, body } = await clients[client].list(run);
      const isUnchanged = status === 200 && body.length === 1 && body[0].text === run.secret;
      const isAll = got[client].length === 8 && got[client].every(isRefused);
      const statuses = [...new Set(got[client].map((it) => it.status))].join(", ");
      const decided = [...new Set(got[client].map((it) => it.decided))];
      const notes = isUnchanged ? "The notes are as they were." : "The notes are not as they were.";
      const why = `${got[client].length} requests were answered ${statuses}. ${notes}`;
      return isAll && isUnchanged ? { verdict: "refused", why, decided } : { verdict: "unexpected", why, decided };
    };
    return { a: await judged("a"), b: await judged("b") };
  },

  async planted(run) {
    await signUp(run);
    const frame = await openPage(run, sibling, "plant");
    const answers = { a: await a.list(run), b: await b.list(run) };
    await draw(run);
    frame.remove();
    document.cookie = `ordinary=; Domain=${location.hostname.split(".").slice(1).join(".")}; Path=/; Max-Age=0`;
    const decided = (path) => run.entries.findLast((it) => it.path === path).decided;
    const names = decided("/api/list_notes").replace("Cookie: ", "").split("; ");
    const sessions = names.filter((name) => name.toLowerCase() === "__host-http-session");
    const isPlanted = names.includes("ordinary");
    const isOwn = ({ status, body }) => status === 200 && body.some(({ text }) => text === run.secret);
    const why = isPlanted
      ? "The browser took an ordinary cookie from the subdomain, and none by the session's name."
      : "The browser took no cookie from the subdomain.";
    return {
      a: isOwn(answers.a)
        ? { verdict: "refused", why: "A looks at no cookie. The victim reads their own notes.", decided: [decided("/lab/notes")] }
        : { verdict: "unexpected", why: `The victim was answered ${answers.a.status}.` },
      b: isOwn(answers.b) && sessions.length === 1
        ? { verdict: "refused", why: `${why} The victim reads their own notes.`, decided: [decided("/api/list_notes")] }
        : { verdict: "unexpected", why: `The victim was answered ${answers.b.status}, with ${names.join(", ")}.` },
    };
  },

  async fixation(run) {
    await signUp(run);
    a.signOut();
    await b.signOut(run);
    await must(attacker(run, "/sign-up"), 200, "The attacker's own account");
    await showLoot(run);
    const { body } = await must(ask(run, "/lab/plant", { form: {} }), 200, "The hole in the browser");
    localStorage.setItem(TOKEN, body.access_token);
    await must(b.list(run), 200, "The victim's browser, with the attacker's session");
    await a.signIn(run);
    await b.signIn(run);
    await must(b.write(run, run.secret), 200, "Writing a note");
    const answers = { a: await replay(run, "own", "a"), b: await replay(run, "own", "b") };
    // A's token is one of his own account, which it goes on being.
    const isHisOwn = answers.a.status === 200 && !answers.a.reads;
    return {
      a: isHisOwn
        ? { ...answers.a, verdict: "nothing-taken", why: `${said(answers.a)} He reads his own notes: signing in made another token.` }
        : judge(run, answers.a, { works: "taken-over", fails: "refused" }),
      b: judge(run, answers.b, { works: "taken-over", fails: "refused" }),
    };
  },

  async acting(run) {
    await signUp(run);
    await inject(run, "acting.js");
    await until("what the script does", async () => {
      const { body } = await b.list();
      return body.filter(({ text }) => text.startsWith("Written by the script")).length === 2;
    });
    await draw(run);
    const written = (path) => run.entries.findLast((it) => it.method === "POST" && it.path === path && it.who === "browser");
    const judged = ({ status, took_ms, decided }) => ({
      decided: [decided],
      verdict: status === 200 ? "acted" : "unexpected",
      why: `The script was answered ${status} in ${ms(took_ms)}. To the server it is the victim.`,
    });
    return { a: judged(written("/lab/notes")), b: judged(written("/api/write_note")) };
  },
};

// ---- What is shown ---------------------------------------------------------------------------------------------------

const WORDS = {
  "taken-over": ["✗", "Taken over", "bad"],
  "still-works": ["✗", "The copy still works", "bad"],
  "nothing-taken": ["✓", "Nothing taken", "good"],
  refused: ["✓", "Refused", "good"],
  noticed: ["✓", "Noticed, and both ended", "good"],
  acted: ["=", "The script acted", "even"],
  unexpected: ["?", "Not as expected", "bad"],
};
const WHO = {
  browser: "Victim’s browser",
  "other-site": "Page of another site",
  sibling: "Page of the subdomain",
  attacker: "Attacker’s client",
};
const SOURCES = { script: "from the script", disk: "from the disk", own: "of his own" };
const ITEMS = { a: "an access token", b: "cookies" };

const ms = (time) => `${time < 10 ? time.toFixed(1) : Math.round(time)} ms`;

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Asks again until it is so. */
async function until(what, isSo, everyMs = 50) {
  const end = performance.now() + 20_000;
  for (;;) {
    const found = await isSo();
    if (found) return found;
    if (performance.now() > end) throw new Error(`There was nothing to see of ${what}.`);
    await new Promise((done) => setTimeout(done, everyMs));
  }
}

/** Adds to a run's timeline what the server has recorded since. The server's time, in Unix milliseconds. */
async function draw(run) {
  const response = await fetch(`/lab/record?of=${run.id}&after=${run.last}`);
  const { entries, now_ms } = await response.json();
  for (const entry of entries) {
    run.entries.push(entry);
    run.last = entry.number;
    run.timeline.append(row(entry));
  }
  const count = run.entries.length;
  run.details.hidden = count === 0;
  run.details.querySelector("summary").textContent = count === 1 ? "1 request" : `${count} requests`;
  return now_ms;
}

function row({ number, who, host, method, path, status, took_ms, decided, sets_session }) {
  const made = element("li");
  made.dataset.number = number;
  made.dataset.who = who;
  made.dataset.status = status;
  const what = element("span", "request");
  what.append(element("code", "", `${method} ${path}`));
  if (!host.startsWith(location.hostname)) what.append(" to the attacker");
  const answer = element("span", "answer");
  answer.append(element("b", "", status), ` in ${ms(took_ms)}`);
  const headers = element("span", "headers");
  if (decided) headers.append(element("code", "", decided));
  if (sets_session) headers.append(element("code", "sets", "Set-Cookie: __Host-Http-session"));
  made.append(element("span", "from", WHO[who]), what, answer, headers);
  return made;
}

/** What he has by now: how much of what, and never what. */
async function showLoot(run) {
  const { body } = await attacker(run, "/loot", { method: "GET" });
  const texts = body.map(({ source, client, size }) =>
    size ? `${ITEMS[client]} ${SOURCES[source]} (${size} bytes)` : `no ${client === "a" ? "token" : "cookie"} ${SOURCES[source]}`,
  );
  const loot = document.querySelector("#loot");
  loot.textContent = texts.length ? `He has ${texts.join(", ")}.` : "He has nothing yet.";
  return body;
}

/** Shows who is signed in to each client, and their notes. */
async function showClients(run) {
  for (const [key, client] of Object.entries(clients)) {
    const section = document.querySelector(`[data-client="${key}"].client`);
    const { status, body } = await client.list();
    const isSignedIn = status === 200;
    section.querySelector(".who").textContent = isSignedIn ? `Signed in as ${run.email}.` : "Nobody is signed in.";
    const notes = (isSignedIn ? body : []).slice(0, 3).map(({ text }) => element("li", "", text));
    section.querySelector(".list").replaceChildren(...notes);
  }
}

function showVerdict(cell, { verdict, why, goodUntilMs, decided = [] }) {
  const [sign, word, tone] = WORDS[verdict];
  cell.dataset.verdict = verdict;
  cell.dataset.tone = tone;
  const mark = element("span", "sign", sign);
  mark.setAttribute("aria-hidden", "true");
  cell.querySelector(".word").replaceChildren(mark, ` ${word}`);
  const reason = cell.querySelector(".reason");
  reason.replaceChildren(why);
  if (goodUntilMs) {
    const left = element("span", "left");
    left.dataset.until = goodUntilMs;
    reason.append(" It works for another ", left, ".");
    countDown();
  }
  cell.querySelector(".decided").replaceChildren(...decided.map((header) => element("code", "", header)));
}

/** How long the stolen tokens are still good, by their own `exp`. */
function countDown() {
  for (const left of document.querySelectorAll("[data-until]")) {
    const seconds = Math.max(0, Math.round((left.dataset.until - Date.now()) / 1000));
    left.textContent = `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
  }
}
setInterval(countDown, 1000);

// ---- Running ---------------------------------------------------------------------------------------------------------

const progress = document.querySelector("#progress");
const buttons = [...main.querySelectorAll("button")];
let isBusy = false;
/** Whoever is signed in. */
let person;

/** One thing at a time: the buttons stay where they are and do nothing meanwhile. */
async function alone(action) {
  if (isBusy) return;
  isBusy = true;
  for (const button of buttons) button.setAttribute("aria-disabled", "true");
  try {
    await action();
  } finally {
    isBusy = false;
    for (const button of buttons) button.removeAttribute("aria-disabled");
  }
}

/** An account that nobody will miss. */
function newRun(article) {
  const details = article?.querySelector("details");
  return {
    id: random(),
    email: `ada-${random().slice(0, 12)}@lab.example`,
    password: random(),
    secret: `The spare key is under pot ${1000 + Math.floor(Math.random() * 9000)}.`,
    entries: [],
    last: 0,
    details,
    timeline: details?.querySelector("ol"),
  };
}

async function runAttack(article, isAlone) {
  const run = newRun(article);
  person = run;
  const cells = [...article.querySelectorAll(".verdict")];
  article.setAttribute("aria-busy", "true");
  article.dataset.run = run.id;
  run.timeline.replaceChildren();
  run.details.open = isAlone;
  document.querySelector("#loot").textContent = "He has nothing yet.";
  for (const cell of cells) {
    delete cell.dataset.verdict;
    delete cell.dataset.tone;
    cell.querySelector(".word").textContent = "Running";
    cell.querySelector(".reason").textContent = "";
    cell.querySelector(".decided").replaceChildren();
  }
  let verdicts;
  try {
    verdicts = await attacks[article.dataset.attack](run);
  } catch (error) {
    const unexpected = { verdict: "unexpected", why: error.message };
    verdicts = { a: unexpected, b: unexpected };
  }
  document.querySelector("#frames").replaceChildren();
  await draw(run);
  await showClients(run);
  for (const cell of cells) showVerdict(cell, verdicts[cell.dataset.client]);
  article.removeAttribute("aria-busy");
  const words = Object.entries(verdicts).map(([client, { verdict }]) => `${client.toUpperCase()}: ${WORDS[verdict][1]}.`);
  return `${article.querySelector("h3").textContent}. ${words.join(" ")}`;
}

const articles = [...main.querySelectorAll("[data-attack]")];
for (const article of articles) {
  const button = article.querySelector("button");
  button.addEventListener("click", () =>
    alone(async () => {
      progress.textContent = `${article.querySelector("h3").textContent}: running`;
      progress.textContent = await runAttack(article, true);
    }),
  );
}

document.querySelector("#all").addEventListener("click", () =>
  alone(async () => {
    for (const [at, article] of articles.entries()) {
      progress.textContent = `${at + 1} of ${articles.length}: ${article.querySelector("h3").textContent}`;
      await runAttack(article, false);
    }
    progress.textContent = `All ${articles.length} have run.`;
  }),
);

for (const form of main.querySelectorAll("form")) {
  const client = clients[form.closest("[data-client]").dataset.client];
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void alone(async () => {
      const text = new FormData(form).get("text");
      // Whoever has no account gets one.
      if ((await client.list()).status !== 200) {
        person = newRun();
        await b.signUp(person);
        await a.signIn(person);
      }
      await client.write(undefined, text);
      form.reset();
      await showClients(person);
    });
  });
}
for (const button of buttons) button.disabled = false;
