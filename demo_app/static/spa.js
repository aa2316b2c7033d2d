/* Signs in by JSON: send, verify, resend. The cookies are the server's; no token passes here. */
(() => {
  "use strict";
  const api = "/auth/api/v1/";
  const at = (id) => document.getElementById(id);
  let requestId = "";

  // Every answer is JSON or empty; an error says in `message` what a person should read.
  const call = async (method, path, body) => {
    const options = { method, headers: body && { "content-type": "application/json" }, body: body && JSON.stringify(body) };
    const answer = await fetch(api + path, options);
    const content = answer.status === 204 ? {} : await answer.json();
    if (answer.ok) return content;
    const left = content.details?.[0]?.attempts_left;
    throw new Error(content.message + (left ? ` ${left} tries left.` : ""));
  };
  const post = (verb, body) => call("POST", "passwordless/email/" + verb, body);

  const show = (part, focus) => {
    for (const id of ["send", "verify", "inside"]) at(id).hidden = id !== part;
    at("problem").hidden = true;
    if (focus) at(focus).focus();
  };
  const attempt = (work) => async (event) => {
    event.preventDefault();
    at("problem").hidden = true;
    at("status").textContent = "";
    await work().catch((error) => {
      at("problem").textContent = error.message;
      at("problem").hidden = false;
    });
  };

  const enter = async () => {
    const { user, session } = await call("GET", "session");
    at("hello").textContent = "Hello, " + user.email;
    at("device").textContent = session.device || "unknown";
    show("inside", "hello");
  };

  at("send").addEventListener("submit", attempt(async () => {
    const email = at("email").value;
    const sent = await post("send", { email });
    requestId = sent.auth_request_id;
    at("address").textContent = email;
    at("code").value = "";
    show("verify", "code");
  }));
  at("verify").addEventListener("submit", attempt(async () => {
    await post("verify", { auth_request_id: requestId, code: at("code").value });
    await enter();
  }));
  at("resend").addEventListener("click", attempt(async () => {
    const sent = await post("resend", { auth_request_id: requestId });
    requestId = sent.auth_request_id;
    at("status").textContent = "Sent again.";
  }));
  at("restart").addEventListener("click", () => show("send", "email"));
  at("leave").addEventListener("click", attempt(async () => {
    await call("DELETE", "session");
    show("send", "email");
  }));

  // Passkeys: the browser reads the options and writes the credential itself.
  if (at("passkey") && window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
    const canceled = (error) => {
      if (error.name !== "NotAllowedError" && error.name !== "AbortError") throw error;
    };
    at("passkey").addEventListener("click", attempt(async () => {
      const { ceremony_id, options } = await call("POST", "passkeys/login/options", {});
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
      const credential = await navigator.credentials.get({ publicKey }).catch(canceled);
      if (!credential) return;
      await call("POST", "passkeys/login/verify", { ceremony_id, credential: credential.toJSON() });
      await enter();
    }));
    at("add-passkey").addEventListener("click", attempt(async () => {
      const { ceremony_id, options } = await call("POST", "passkeys/options", {});
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
      const credential = await navigator.credentials.create({ publicKey }).catch(canceled);
      if (!credential) return;
      await call("POST", "passkeys", { ceremony_id, credential: credential.toJSON() });
      at("status").textContent = "From now on this passkey signs you in.";
    }));
    for (const id of ["passkey", "add-passkey"]) at(id).hidden = false;
  }

  // The link of the mail was opened in another tab: this browser is signed in now.
  try {
    new BroadcastChannel("pwless:/auth").addEventListener("message", () => enter().catch(() => {}));
  } catch {} // where cookies are blocked, Firefox refuses it

  enter().catch(() => show("send"));
})();
