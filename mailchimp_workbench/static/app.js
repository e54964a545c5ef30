// What the pages do by themselves: forms that are sent once, files that are too large, choices that need no button.
"use strict";

document.documentElement.classList.add("js");

document.addEventListener("submit", (event) => {
  const form = event.target;
  const limit = Number(form.dataset.upload);
  const file = limit && form.querySelector("input[type=file]").files[0];
  if (file && file.size > limit) {
    event.preventDefault();
    const megabytes = Math.ceil(file.size / 1048576);
    form.querySelector("[role=alert]").textContent =
      `This file has ${megabytes} MB, more than ${limit / 1048576} MB. Split it, or load it into the DuckDB file and choose the table.`;
    return;
  }
  if (!form.hasAttribute("hx-post")) {
    form.setAttribute("aria-busy", "true");
  }
});

// Coming back by the Back button finds the form as it was before.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[aria-busy]")) {
    form.removeAttribute("aria-busy");
  }
});

document.addEventListener("change", (event) => {
  if (event.target.hasAttribute("data-submit")) {
    event.target.form.requestSubmit();
  }
});

document.addEventListener("click", (event) => {
  if (event.target.hasAttribute("data-back") && history.length > 1) {
    event.preventDefault();
    history.back();
  }
});

// The workbench has ended, or does not answer: the part says so instead of waiting for ever.
document.addEventListener("htmx:sendError", (event) => {
  const notice = document.createElement("p");
  notice.className = "notice bad";
  notice.setAttribute("role", "alert");
  notice.textContent = "The workbench does not answer. Is it still running?";
  event.detail.target.replaceChildren(notice);
});
