// A page that is also paper.
for (const button of document.querySelectorAll("button.print")) button.addEventListener("click", () => print());
