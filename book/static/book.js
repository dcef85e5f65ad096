const root = document.documentElement;
let theme;
let folded = [];

// Paper can be neither dark nor unfolded: a page is printed light, with its solutions.
addEventListener("beforeprint", () => {
  theme = root.dataset.theme;
  root.dataset.theme = "light";
  folded = [...document.querySelectorAll("details:not([open])")];
  folded.forEach((each) => { each.open = true; });
});

addEventListener("afterprint", () => {
  root.dataset.theme = theme;
  folded.forEach((each) => { each.open = false; });
});

// On a phone the contents of a page lie over it. The theme leaves them there when a section is chosen.
addEventListener("click", (event) => {
  event.target.closest("dialog a[href^='#']")?.closest("dialog").close();
});
