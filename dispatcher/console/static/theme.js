// Before anything is drawn, so that a page chosen to be dark never flashes light.
{
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
}
