// Inside Airflow's frame a link out of the console (data-out) is opened by Airflow's own page: the frame may
// neither navigate it nor open windows. After a sign-in one comes back to the page that held the frame.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-out]");
  if (!link || window.parent === window || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const outer = window.parent.location;
  const twin = window.parent.document.createElement("a");
  twin.href = link.href;
  if (link.dataset.out === "sign-in") {
    const address = new URL(link.href);
    address.searchParams.set("next", outer.pathname + outer.search);
    twin.href = address.href;
  }
  twin.target = link.target === "_blank" ? "_blank" : "_top";
  twin.rel = "noopener";
  twin.click();
});

// What went wrong with a request of htmx stands until the next one goes well.
document.addEventListener("htmx:afterRequest", (event) => {
  const trouble = document.getElementById("trouble");
  if (event.detail.successful) trouble.replaceChildren();
  else if (!event.detail.xhr.status) trouble.textContent = "The console does not answer. It is asked again when you act.";
});

// What refreshes itself (hx-trigger="every ...") rests while nobody sees it, and while somebody is at work in it.
document.addEventListener("htmx:beforeRequest", (event) => {
  const asked = event.detail.elt;
  if (!asked.getAttribute("hx-trigger")?.startsWith("every")) return;
  const busy = asked.contains(document.activeElement) || asked.querySelector("input:checked, details[open]");
  if (document.hidden || busy) event.preventDefault();
});
