// The attacker's pages: each tries one thing with both clients as soon as it is opened.
const { kind, victim } = document.body.dataset;
const { search } = location;

const prize = document.createElement("p");
prize.textContent = "You have won a prize.";
document.querySelector("main").append(prize);

// Where each client writes a note, and where it reads them.
const write = ["/lab/notes", "/api/write_note"].map((path) => victim + path + search);
const read = ["/lab/notes", "/api/list_notes"].map((path) => victim + path + search);
const text = "The attacker was here.";

const tricks = {
  form() {
    for (const [at, action] of write.entries()) {
      const frame = document.createElement("iframe");
      frame.name = `answer-${at}`;
      frame.hidden = true;
      const form = document.createElement("form");
      Object.assign(form, { method: "post", action, target: frame.name, hidden: true });
      const field = document.createElement("input");
      Object.assign(field, { name: "text", value: text });
      form.append(field);
      document.body.append(frame, form);
      form.submit();
    }
  },
  fetch() {
    for (const url of write) {
      // Nothing may be read of the answer, but the request is sent.
      const body = new URLSearchParams({ text });
      fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body }).catch(() => {});
    }
  },
  image() {
    for (const url of read) new Image().src = url;
  },
  socket() {
    for (const url of read) new WebSocket(url.replace(/^http/, "ws"));
  },
  plant() {
    const [name, value] = ["__Host-Http-session", "planted"];
    const domain = location.hostname.split(".").slice(1).join(".");
    // A browser takes an ordinary name for the whole domain, and refuses these of the session's.
    document.cookie = `ordinary=${value}; Domain=${domain}; Path=/; Max-Age=20`;
    document.cookie = `${name}=${value}; Domain=${domain}; Path=/; Secure`;
    document.cookie = `${name.toLowerCase()}=${value}; Domain=${domain}; Path=/; Secure`;
    document.cookie = `${name}=${value}; Domain=${domain}; Path=/api; Secure`;
  },
};
tricks[kind]();
