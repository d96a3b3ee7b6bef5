// The page of t2v demo. It asks the server for a few frames of each take at a time, and shows them at its own
// speed. What is chosen stands in the address (#model=…), so that a link opens the same video.

const MOST_SAVED = 600;  // frames of a file, as the server has it
const RETRY = 1000;  // milliseconds until a server that does not answer is asked again
const TAGS = {NN: "noun", VB: "verb", JJ: "adjective", CD: "number", RB: "adverb", IN: "preposition", TO: "to",
  DT: "article", CC: "conjunction", PR: "pronoun", EX: "there", RP: "particle", MD: "modal verb", WP: "question word",
  WD: "question word", WR: "question word"};

const at = id => document.getElementById(id);
const make = (name, fields = {}, ...inside) => {
  const element = Object.assign(document.createElement(name), fields);
  element.append(...inside);
  return element;
};

// `prompt` is what is asked for, `accepted` what was last painted, `explained` what the line below it is about,
// `refused` what no video can be made of. `takes` are the streams that are watched, `recorded` is what the last
// recording kept.
const state = {models: [], model: null, prompt: "", accepted: null, explained: null, refused: null, seed: 0,
  speed: 10, takes: [], paused: false, recording: false, recorded: null};

// ---- talking to the server

async function send(path, options) {
  const answer = await fetch(path, options);
  if (answer.ok) return answer.json();
  throw Object.assign(Error((await answer.text()).trim()), {status: answer.status});
}

async function ask(take) {
  const {model, prompt, speed} = state;
  take.asking = true;
  try {
    const {stream, seed} = take;
    const body = JSON.stringify({model: model.name, prompt, stream, seed, frames: batch(speed)});
    const answer = await send("play", {method: "POST", body});
    if (state.takes.includes(take)) receive(take, prompt, answer);
  } catch (error) {
    if (state.takes.includes(take)) fail(prompt, error);
    if (error.status !== 400) await new Promise(done => setTimeout(done, RETRY));
  }
  take.asking = false;
}

const batch = speed => Math.ceil(speed / 5);  // frames asked for at once, a fifth of a second

function receive(take, prompt, {shape, frames, attention, tokens, tags, entities, understood, unknown}) {
  const words = {tokens, tags, entities};
  if (take.prompts.at(-1)?.[1] !== prompt) take.prompts.push([take.received, prompt]);
  take.received += frames.length;
  frames.forEach((frame, i) =>
    take.frames.push({prompt, shape, pixels: atob(frame), attention: attention[i] ?? [], words}));
  if (prompt !== state.prompt || prompt === state.explained) return;
  state.accepted = state.explained = prompt;
  tell(prompt, {understood, unknown});
  offerFiles();
}

// A sentence that is refused changes nothing: what was played before goes on.
function fail(prompt, error) {
  if (error.status !== 400) {
    at("waiting").textContent = error.status ? error.message : "t2v demo does not answer: is it running?";
  } else if (prompt === state.prompt) {
    tellError(error.message);
    if (state.accepted === null) state.refused = prompt;
    else state.prompt = state.explained = state.accepted;  // what goes on leaves the line to what was refused
  }
}

// ---- what is chosen

function choose(model, prompt = model.prompts[0], seed = 0) {
  Object.assign(state, {model, accepted: null, explained: null, refused: null, recorded: null});
  at("models").querySelectorAll("input").forEach(input => { input.checked = input.value === model.name; });
  at("about").textContent = model.about;
  at("examples").replaceChildren(...model.prompts.map(text =>
    make("button", {type: "button", textContent: text, onclick: () => say(text)})));
  state.prompt = at("prompt").value = prompt;
  tell(prompt, {understood: "", unknown: {}});
  start([seed]);
}

function say(prompt) {
  state.prompt = at("prompt").value = prompt;
  state.explained = state.refused = null;
  link();
}

function start(seeds, recording = false) {
  const takes = seeds.map(seed => newTake(seed % 2 ** 32));
  Object.assign(state, {seed: takes[0].seed, takes, recording});
  showTakes();
  if (state.paused) pause();
}

function newTake(seed) {
  const stream = [...crypto.getRandomValues(new Uint32Array(4))].join("-");
  const canvas = make("canvas", {width: 1, height: 1});
  return {seed, stream, canvas, frames: [], prompts: [], received: 0, shown: 0, asking: false};
}

function pick(take) {
  Object.assign(state, {takes: [take], seed: take.seed});
  showTakes();
  at("four").focus();
}

function showTakes() {
  const four = state.takes.length > 1;
  at("takes").className = four ? "four" : "";
  at("takes").replaceChildren(...state.takes.map(take => four ? takeButton(take) : takeFigure(take)));
  at("four").ariaPressed = String(four);
  at("record").disabled = four;
  showRecording();
  offerFiles();
  link();
}

function takeButton(take) {
  return make("button", {type: "button", title: "Keep this take", onclick: () => pick(take)},
    take.canvas, make("span", {textContent: `Seed ${take.seed}: keep`}));
}

function takeFigure(take) {
  return make("figure", {}, take.canvas, make("figcaption", {textContent: `Seed ${take.seed}`}));
}

function pause() {
  state.paused = !state.paused;
  at("pause").ariaPressed = String(state.paused);
  at("pause").textContent = state.paused ? "Go on" : "Pause";
}

// ---- links: #model=…&prompt=…&seed=…&speed=…

function link() {
  const {model, prompt, seed, speed} = state;
  history.replaceState(null, "", `#${new URLSearchParams({model: model.name, prompt, seed, speed})}`);
}

function open() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const within = (name, low, high, otherwise) => {
    const value = Number(asked.get(name) ?? otherwise);
    return Number.isInteger(value) && value >= low && value <= high ? value : otherwise;
  };
  setSpeed(within("speed", 2, 50, 10));
  const model = state.models.find(({name}) => name === asked.get("model"));
  const prompt = (model && asked.get("prompt")) || undefined;
  choose(model ?? state.models[0], prompt, within("seed", 0, 2 ** 32 - 1, 0));
}

function setSpeed(speed) {
  state.speed = at("speed").value = speed;
  at("rate").textContent = `${speed} frames/s`;
}

async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    at("copy").textContent = "Copied";
  } catch {  // browsers allow it to secure pages alone
    window.prompt("Copy this link:", location.href);
  }
  setTimeout(() => { at("copy").textContent = "Copy link"; }, 2000);
}

// ---- recording and files

function record() {
  if (state.recording) return stopRecording();
  start([state.seed], true);
}

function stopRecording() {
  const [take] = state.takes;
  state.recording = false;
  if (take.shown) state.recorded = {prompts: take.prompts.filter(([frame]) => frame < take.shown),
    seed: take.seed, frames: take.shown};
  showRecording();
  offerFiles();
}

function showRecording() {
  at("record").ariaPressed = String(state.recording);
  at("record").textContent = state.recording ? "Stop" : "Record";
}

function offerFiles() {
  const {model, prompt, seed, speed, recorded} = state;
  const {prompts, ...rest} = recorded ?? {prompts: [[0, prompt]], seed, frames: model.frames};
  const schedule = prompts.map(([frame, text]) => `${frame}: ${text.replaceAll("|", " ")}`).join(" | ");
  const address = ending =>
    `clip?${new URLSearchParams({model: model.name, prompt: schedule, ...rest, rate: speed, ending})}`;
  const name = prompts[0][1].replace(/\W+/g, "-").slice(0, 60);
  const link = (ending, textContent) =>
    make("a", {href: address(ending), download: `${name}-${rest.seed}${ending}`, textContent});
  at("files").replaceChildren(`${recorded ? "Save the recording" : "Save a clip"}, ${rest.frames} frames:`,
    link(".gif", "GIF"), link(".mp4", "MP4"), link(".webp", "WebP"), link(".png", "Sprite sheet"));
  const quote = text => /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
  at("command").textContent = `t2v generate ${quote(prompt)} --model=${quote(model.name)} --seed=${seed}`;
}

// ---- what is understood of a sentence

// The sentence with its unknown words marked, and known ones to put in their place.
function tell(prompt, {understood, unknown}) {
  const words = prompt.split(/(\s+)/).map(word => unknown[bare(word)] ? make("mark", {textContent: word}) : word);
  const near = Object.entries(unknown).flatMap(([word, known]) => known.map(other => make("button", {type: "button",
    textContent: other, ariaLabel: `Put ${other} in place of ${word}`, onclick: () => replace(word, other)})));
  at("heard").className = "";
  const marked = words.some(word => word.tagName) ? [...words, make("br")] : [];
  at("heard").replaceChildren(...marked, understood, ...near);
}

function tellError(message) {
  at("heard").className = "error";
  at("heard").replaceChildren(message);
}

const bare = word => word.toLowerCase().replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "");

function replace(word, other) {
  say(at("prompt").value.split(/(\s+)/).map(typed => bare(typed) === word ? other : typed).join(""));
  at("prompt").focus();
}

let typing;
function typed() {
  clearTimeout(typing);
  typing = setTimeout(understand, 250);
}

async function understand() {
  const prompt = at("prompt").value;
  try {
    const answer = await send(`understand?${new URLSearchParams({model: state.model.name, prompt})}`);
    if (prompt === at("prompt").value) tell(prompt, answer);
  } catch (error) {
    if (prompt === at("prompt").value && error.status === 400 && prompt.trim()) tellError(error.message);
  }
}

// ---- showing frames

function paint(canvas, {shape: [height, width, channels], pixels, prompt}) {
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels.charCodeAt(channels * i + Math.min(c, channels - 1));
    image.data[4 * i + 3] = 255;
  }
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, {width, height});
  canvas.getContext("2d").putImageData(image, 0, 0);
  if (canvas.ariaLabel !== prompt) Object.assign(canvas, {role: "img", ariaLabel: prompt});
}

let laid;  // the words in the table
function showAttention({words, attention}) {
  if (!at("inside").open) return;
  if (words !== laid) layWords(words, attention.length);
  laid = words;
  const rows = at("words").tBodies[0].rows;
  attention.flat().forEach((weights, row) => weights.forEach((weight, i) => {
    const cell = rows[row + 2].cells[i + 1];
    cell.textContent = Math.round(100 * weight);
    cell.style.setProperty("--weight", weight.toFixed(2));
  }));
}

function layWords({tokens, tags, entities}, actors) {
  const row = (title, cells, className = "") =>
    make("tr", {className}, make("th", {scope: "row", textContent: title}), ...cells);
  const tag = name => make("td", {}, make("abbr", {title: TAGS[name.slice(0, 2)] ?? "other", textContent: name}));
  const rows = [row("tag", tags.map(tag)),
    row("entity", entities.map(kind => make("td", {textContent: kind?.toLowerCase() ?? "–"})))];
  for (let actor = 1; actor <= actors; actor++) {
    const whose = actors > 1 ? ` of actor ${actor}` : "";
    for (const kind of ["appearance", "motion"]) {
      rows.push(row(`attention, ${kind}${whose}`, tokens.map(() => make("td")), kind));
    }
  }
  const head = make("tr", {}, make("th", {scope: "row", textContent: "word"}),
    ...tokens.map(textContent => make("th", {scope: "col", textContent})));
  const textContent = "Each word, its tag, its entity, and how much it counts, in percent";
  at("words").replaceChildren(make("caption", {className: "unseen", textContent}), make("thead", {}, head),
    make("tbody", {}, ...rows));
}

let next = 0;  // when the next frame is due
function play(now) {
  requestAnimationFrame(play);
  if (state.paused) return;
  const due = now >= next;
  const shown = state.takes.filter(take => step(take, due));
  if (due && shown.length) next = Math.max(now, next + 1000 / state.speed);
  showWaiting();
}

// Shows a take's next frame, if it is there and due: at once if it is the first, or of an earlier sentence, behind
// which the frames of the new one wait.
function step(take, due) {
  if (!take.asking && take.frames.length <= batch(state.speed) && state.prompt !== state.refused) ask(take);
  const [frame] = take.frames;
  if (!frame || !(due || !take.shown || frame.prompt !== state.prompt)) return false;
  take.frames.shift();
  paint(take.canvas, frame);
  take.shown++;
  if (take === state.takes[0]) {
    showAttention(frame);
    if (state.recording && take.shown === MOST_SAVED) stopRecording();
    if (state.recording) at("record").textContent = `Stop (${take.shown} frames)`;
  }
  return true;
}

function showWaiting() {
  const [{shown, frames}] = state.takes;
  if (frames.length || state.prompt === state.refused) at("waiting").textContent = "";
  else if (!shown && !at("waiting").textContent) {
    at("waiting").textContent = `Preparing ${state.model.title}. The first time takes a while …`;
  }
}

// ---- the controls

function showModels() {
  at("models").append(...state.models.map(model => {
    const radio = make("input", {type: "radio", name: "model", value: model.name, onchange: () => choose(model)});
    const image = make("img", {src: `sample?${new URLSearchParams({model: model.name})}`, alt: ""});
    return make("label", {title: model.about}, radio, image,
      make("span", {textContent: model.title.replaceAll("-", " ")}));
  }));
}

at("ask").onsubmit = event => { event.preventDefault(); say(at("prompt").value); };
at("prompt").oninput = typed;
at("prompt").onkeydown = event => {
  if (event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  at("ask").requestSubmit();
};
at("pause").onclick = pause;
at("again").onclick = () => start([state.seed + 1]);
at("four").onclick = () => start(state.takes.length > 1 ? [state.seed] : [0, 1, 2, 3].map(i => state.seed + i));
at("record").onclick = record;
at("copy").onclick = copyLink;
at("speed").oninput = ({target}) => { setSpeed(Number(target.value)); offerFiles(); link(); };
window.onhashchange = open;

state.models = await send("models");
showModels();
open();
requestAnimationFrame(play);
