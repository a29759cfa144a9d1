"use strict";
// Draws the heat maps, and lets each slider run through the steps of its picture.
const maps = JSON.parse(document.getElementById("maps").textContent);
const SCALE = 6;
const LOW = [31, 111, 178], MIDDLE = [247, 248, 250], HIGH = [209, 72, 15];

function colour(v) {
  const [from, to, t] = v < 0.5 ? [LOW, MIDDLE, v * 2] : [MIDDLE, HIGH, v * 2 - 1];
  return from.map((c, i) => Math.round(c + (to[i] - c) * t));
}

function draw(canvas, step) {
  const map = maps[canvas.dataset.picture][Number(canvas.dataset.map)];
  const bytes = atob(map.frames[Math.min(step, map.frames.length - 1)]);
  canvas.width = canvas.height = map.side * SCALE;
  const context = canvas.getContext("2d");
  for (let i = 0; i < bytes.length; i++) {
    context.fillStyle = `rgb(${colour(bytes.charCodeAt(i) / 255).join(" ")})`;
    context.fillRect((i % map.side) * SCALE, Math.floor(i / map.side) * SCALE, SCALE, SCALE);
  }
  for (const [x, y, kind] of map.points) {
    context.beginPath();
    context.arc(((x / map.size + 1) / 2) * canvas.width, ((1 - y / map.size) / 2) * canvas.height, 5, 0, 2 * Math.PI);
    context.fillStyle = `rgb(${(kind ? HIGH : LOW).join(" ")})`;
    context.strokeStyle = "white";
    context.lineWidth = 1.6;
    context.fill();
    context.stroke();
  }
}

function show(picture, step) {
  for (const canvas of document.querySelectorAll(`canvas[data-picture="${picture}"]`)) draw(canvas, step);
}

for (const picture of Object.keys(maps)) show(picture, Infinity);
for (const slider of document.querySelectorAll("[data-slider]"))
  slider.addEventListener("input", () => {
    show(slider.dataset.slider, Number(slider.value));
    slider.nextElementSibling.textContent = JSON.parse(slider.dataset.steps)[Number(slider.value)];
  });
