/* Talks to the websocket of the echo page. */
(() => {
  "use strict";
  const form = document.getElementById("say");
  const state = document.getElementById("state");
  const log = document.getElementById("log");
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws");

  socket.addEventListener("open", () => { state.textContent = "Connected."; });
  socket.addEventListener("close", () => { state.textContent = "Closed. Sign in, and open this page again."; });
  socket.addEventListener("message", (event) => {
    const said = JSON.parse(event.data);
    const line = document.createElement("li");
    const who = document.createElement("strong");
    who.textContent = said.from;
    line.append(who, " said: " + said.text);
    log.append(line);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (socket.readyState === WebSocket.OPEN) socket.send(form.elements.text.value);
    form.reset();
  });
})();
