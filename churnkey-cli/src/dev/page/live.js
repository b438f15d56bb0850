// Shows what is new on a page as it comes. Whoever is reading keeps their place.
const live = document.querySelector("[data-live]");
let isAsking = false;
let isStale = false;

function show(page) {
    const fresh = page.querySelector("[data-live]");
    // What is the same stays, with the focus in it and the click on it.
    if (fresh.innerHTML !== live.innerHTML) {
        const focused = live.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
        live.replaceChildren(...fresh.childNodes);
        if (focused !== null) {
            live.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
        }
    }
    const status = document.getElementById("status");
    const text = page.getElementById("status")?.textContent;
    // The same text again would be read out again.
    if (status && text && status.textContent !== text) {
        status.textContent = text;
    }
}

async function refresh() {
    isStale = true;
    if (isAsking) {
        return;
    }
    isAsking = true;
    try {
        while (isStale) {
            isStale = false;
            const answer = await fetch(location.href);
            if (answer.ok) {
                show(new DOMParser().parseFromString(await answer.text(), "text/html"));
            }
        }
    } catch {
        // The tool has ended. If it is started again, the events go on.
    } finally {
        isAsking = false;
    }
}

if (live) {
    const events = new EventSource("/events");
    events.addEventListener("changed", refresh);
}
