// What the pages do better with than without: nothing here is needed for any action.

const themes = ["system", "light", "dark"];

function chosenTheme() {
  try {
    const kept = localStorage.getItem("theme");
    return themes.includes(kept) ? kept : "system";
  } catch {
    return "system";
  }
}

function show(theme) {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  for (const name of document.querySelectorAll("[data-theme-name]")) name.textContent = theme;
}

show(chosenTheme());

for (const button of document.querySelectorAll("[data-theme-toggle]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const next = themes[(themes.indexOf(chosenTheme()) + 1) % themes.length];
    try {
      localStorage.setItem("theme", next);
    } catch {
      // Without a place to keep it the choice lasts as long as the page.
    }
    show(next);
  });
}

// Copying: the text of the element that the button names.
for (const button of document.querySelectorAll("[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  if (!source) continue;
  const label = button.textContent;
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    button.textContent = (await copied(source)) ? "Copied" : "Selected: press Ctrl+C";
    setTimeout(() => { button.textContent = label; }, 2500);
  });
}

async function copied(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    return true;
  } catch {
    // The clipboard is closed to pages without TLS: select the text for the person to copy.
    const range = document.createRange();
    range.selectNodeContents(source);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    return false;
  }
}

// Filtering the rows that are here while the person types; sending the form searches all.
for (const input of document.querySelectorAll("input[data-filters]")) {
  const list = document.getElementById(input.dataset.filters);
  if (!list) continue;
  input.addEventListener("input", () => {
    const words = input.value.trim().toLowerCase();
    for (const row of list.children) row.hidden = words !== "" && !row.textContent.toLowerCase().includes(words);
  });
}

// A form is sent once, however often its button is pressed.
for (const form of document.querySelectorAll('form[method="post"]')) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// What went wrong is where reading begins.
const alert = document.querySelector('[role="alert"]');
if (alert) {
  alert.tabIndex = -1;
  alert.focus({ preventScroll: false });
}
