const root = document.documentElement;
let theme;

// A page is printed light: dark ones would give pale text on white paper.
addEventListener("beforeprint", () => {
  theme = root.dataset.theme;
  root.dataset.theme = "light";
});

addEventListener("afterprint", () => {
  root.dataset.theme = theme;
});

// On a phone the contents of a page lie over it. The theme leaves them there when a section is chosen.
addEventListener("click", (event) => {
  event.target.closest("dialog a[href^='#']")?.closest("dialog").close();
});
