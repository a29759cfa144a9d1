"use strict";
// Joins the charts: what belongs to one trial is shown together while the pointer is over any of it, or once it is picked.
const trials = JSON.parse(document.getElementById("trials").textContent);
const note = document.getElementById("note");
let picked = null;

function show(number) {
  document.body.classList.toggle("picking", number !== null);
  for (const mark of document.querySelectorAll(".on")) mark.classList.remove("on");
  if (number !== null)
    for (const mark of document.querySelectorAll(`[data-trial="${number}"]`)) mark.classList.add("on");
}

function trialOf(event) {
  const mark = event.target.closest("[data-trial]");
  return mark === null ? null : mark.dataset.trial;
}

document.addEventListener("pointerover", (event) => {
  const number = trialOf(event);
  if (number === null) return;
  show(number);
  note.textContent = trials[number] ?? "";
  note.hidden = false;
});
document.addEventListener("pointermove", (event) => {
  const right = Math.min(event.clientX + 14, window.innerWidth - note.offsetWidth - 8);
  note.style.left = `${Math.max(right, 4)}px`;
  note.style.top = `${Math.min(event.clientY + 14, window.innerHeight - note.offsetHeight - 8)}px`;
});
document.addEventListener("pointerout", (event) => {
  if (trialOf(event) === null) return;
  note.hidden = true;
  show(picked);
});
document.addEventListener("click", (event) => {
  const number = trialOf(event);
  if (number !== null) {
    picked = picked === number ? null : number;
    show(picked);
  }
});
