// The one script. Every page works without it; it adds refreshing, copying, busy buttons and focus.
(() => {
  "use strict";

  const announce = (words) => {
    const place = document.getElementById("announcer");
    if (place && words) place.textContent = words;
  };
  const clock = () =>
    new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: "Asia/Tokyo" }).format(new Date());

  // --- [data-poll]: fetched every data-every seconds and replaced whole, until the answer has no data-poll any more
  const SLOWEST_S = 60;

  const keepingFocus = (old, replace) => {
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    const open = [...old.querySelectorAll("details[open][id]")].map((fold) => fold.id);
    const fresh = replace();
    open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    return fresh;
  };

  const showChecked = (board, answered) => {
    const live = board.querySelector(".live");
    const words = live?.querySelector("[data-live-words]");
    if (!words) return; // a page may say that it updates without saying when it last did
    words.dataset.usual ??= words.textContent;
    words.textContent = answered ? words.dataset.usual : live.dataset.stale;
    if (answered) live.querySelector("[data-live-clock]").textContent = clock();
  };

  // An answer may bring further parts of the page along, and the words of its title
  const swapBeside = (page) =>
    page.querySelectorAll("[data-beside]").forEach((part) => {
      const old = document.getElementById(part.id);
      if (old && !old.isEqualNode(part)) keepingFocus(old, () => old.replaceWith(part));
    });

  const swapped = (old, html) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const fresh = page.getElementById(old.id);
    if (!fresh) return old;
    const { announce: before, title } = old.dataset;
    keepingFocus(old, () => old.replaceWith(fresh));
    swapBeside(page);
    if (title) document.title = document.title.replace(title, fresh.dataset.title);
    if (fresh.dataset.announce !== before) announce(fresh.dataset.announce);
    return fresh;
  };

  const poll = (start) => {
    const usual = Number(start.dataset.every || 5);
    let board = start;
    let etag = start.dataset.etag || "";
    let pause = usual;
    let timer = 0;

    const ask = async () => {
      const headers = { "X-Requested-With": "fetch", ...(etag && { "If-None-Match": etag }) };
      const answer = await fetch(board.dataset.poll, { headers, credentials: "same-origin", redirect: "error" });
      if (answer.status === 304) return;
      if (!answer.ok) throw new Error(String(answer.status));
      etag = answer.headers.get("ETag") || "";
      board = swapped(board, await answer.text());
    };

    const round = async () => {
      try {
        await ask();
        pause = usual;
        showChecked(board, true);
      } catch {
        pause = Math.min(pause * 2, SLOWEST_S);
        showChecked(board, false);
      }
      plan(pause);
    };

    const plan = (seconds) => {
      clearTimeout(timer);
      if (board.dataset.poll && !document.hidden) timer = setTimeout(round, seconds * 1000);
    };

    document.addEventListener("visibilitychange", () => plan(document.hidden ? 0 : 0.2));
    plan(pause);
  };

  // --- copy buttons are shown only where there is a clipboard
  const offerCopy = (button) => {
    if (!navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent.trim());
      toast(button.dataset.copied);
    });
  };

  const toast = (words) => {
    const box = document.createElement("div");
    box.className = "toasts";
    const line = document.createElement("p");
    line.className = "toast";
    line.textContent = words;
    box.append(line);
    document.body.append(box);
    announce(words);
    setTimeout(() => box.remove(), 4000);
  };

  // --- a POST form is sent once; its button says what is happening
  const sentOnce = (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    const button = event.submitter;
    if (!button?.classList.contains("button")) return;
    button.setAttribute("aria-busy", "true");
    button.setAttribute("aria-disabled", "true");
    if (button.dataset.busy) {
      button.dataset.idle = button.textContent;
      button.textContent = button.dataset.busy;
    }
  };

  const idleAgain = (form) => {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-busy]").forEach((button) => {
      button.removeAttribute("aria-busy");
      button.removeAttribute("aria-disabled");
      if (button.dataset.idle) button.textContent = button.dataset.idle;
    });
  };

  // --- form[data-follow]: after each choice the form asks for its price and the priced parts of the answer are swapped;
  // by POST, since what somebody types into an option belongs into no address
  const follow = (form) => {
    const parts = ["price", "price-in-dock"];
    let newest = 0;

    const ask = async () => {
      const mine = ++newest;
      const body = new URLSearchParams(new FormData(form));
      body.set("intent", "price");
      const answer = await fetch(form.action, { method: "POST", body, credentials: "same-origin", redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== newest) return;
      parts.forEach((id) => document.getElementById(id)?.replaceWith(page.getElementById(id)));
      form.querySelectorAll("[data-depends]").forEach((part) => (part.hidden = page.getElementById(part.id).hidden));
      announce(document.querySelector("#price-in-dock .price")?.textContent.trim());
    };

    const byHand = form.querySelector("[data-unfollowed]");
    byHand.hidden = true;
    form.addEventListener("change", () => ask().catch(() => (byHand.hidden = false)));
  };

  // --- form[data-place]: seven digits of a postal code fill in prefecture, city and town; nothing typed is overwritten
  const findPlace = (form) => {
    const fields = form.elements;
    const filled = {};
    form.querySelector("[data-find]").hidden = true;

    const find = async () => {
      const code = fields.postal_code.value.normalize("NFKC").replace(/\D/g, "");
      if (code.length !== 7) return;
      const body = new FormData();
      body.set("postal_code", code);
      if (fields.prefecture.value !== filled.prefecture) body.set("prefecture", fields.prefecture.value);
      body.set("csrfmiddlewaretoken", fields.csrfmiddlewaretoken.value);
      const answer = await fetch(form.dataset.place, { method: "POST", body, credentials: "same-origin", redirect: "error" });
      if (!answer.ok) return;
      Object.entries(await answer.json()).forEach(([name, value]) => {
        if (fields[name].value && fields[name].value !== filled[name]) return;
        fields[name].value = filled[name] = String(value);
      });
      announce(fields.prefecture.selectedOptions[0]?.textContent + " " + fields.city.value);
    };

    // When the look-up fails, the customer types what it would have filled in.
    fields.postal_code.addEventListener("input", () => find().catch(() => {}));
    fields.prefecture.addEventListener("change", () => find().catch(() => {})); // a code may lie in two of them
  };

  // --- form[data-paper]: the chosen picture is shown small, and a file too large is said to be so before it is sent
  const showChosen = (form) => {
    const input = form.querySelector("input[type=file]");
    const canvas = form.querySelector("canvas");
    const words = form.querySelector("[data-chosen]");

    const draw = async (file) => {
      const picture = await createImageBitmap(file, { resizeWidth: canvas.width, resizeQuality: "medium" });
      if (input.files[0] !== file) return;
      canvas.height = picture.height;
      canvas.getContext("2d").drawImage(picture, 0, 0);
      canvas.hidden = false;
    };

    input.addEventListener("change", () => {
      const [file] = input.files;
      canvas.hidden = true;
      words.textContent = "";
      if (!file) return;
      const sentence = file.size > Number(input.dataset.most) ? form.dataset.large : form.dataset.fits;
      words.textContent = sentence.replace("{size}", (file.size / 1048576).toFixed(1));
      draw(file).catch(() => {}); // a PDF, or a format this browser cannot show: there is no picture then
    });
  };

  // --- dialogs where the browser does not know commandfor yet
  const oldDialog = (event) => {
    const button = event.target.closest("button[commandfor]");
    if (!button) return;
    const dialog = document.getElementById(button.getAttribute("commandfor"));
    if (!dialog?.showModal) {
      if (button.dataset.confirmUrl) location.assign(button.dataset.confirmUrl);
    } else if (button.getAttribute("command") === "close") dialog.close();
    else dialog.showModal();
  };

  // --- the account menu closes on Escape and when something else is meant
  const closeMenus = (event) => {
    if (event.type === "keydown" && event.key !== "Escape") return;
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (event.type === "click" && menu.contains(event.target)) return;
      menu.removeAttribute("open");
      if (event.type === "keydown") menu.querySelector("summary").focus();
    });
  };

  document.querySelectorAll("[data-poll][id]").forEach(poll);
  document.querySelectorAll("[data-copy]").forEach(offerCopy);
  document.querySelectorAll("form[data-follow]").forEach(follow);
  document.querySelectorAll("form[data-place]").forEach(findPlace);
  document.querySelectorAll("form[data-paper]").forEach(showChosen);
  document.querySelector('.error-summary[role="alert"]')?.focus();
  document.addEventListener("submit", sentOnce);
  document.addEventListener("click", closeMenus);
  document.addEventListener("keydown", closeMenus);
  if (!("commandForElement" in HTMLButtonElement.prototype)) document.addEventListener("click", oldDialog);
  addEventListener("pageshow", (event) => event.persisted && document.querySelectorAll("form[data-sent]").forEach(idleAgain));
})();
