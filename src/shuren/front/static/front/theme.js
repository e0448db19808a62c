// Runs before the first paint, so that a dark page never flashes white.
(function () {
  var root = document.documentElement;
  var chosen = null;
  try {
    chosen = localStorage.getItem("shuren-theme");
  } catch (error) {
    chosen = null;
  }
  var prefersDark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  root.setAttribute("data-bs-theme", chosen || (prefersDark ? "dark" : "light"));
  root.classList.add("js");
})();
