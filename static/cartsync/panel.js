/* Improves the lists of the live cart: the header box selects the page, the button carries the count.
   Everything works without it. */
(() => {
    const rows = (form) => [...form.querySelectorAll('input[name="ids"]:not(:disabled)')];

    const recount = (form) => {
        const boxes = rows(form);
        const chosen = boxes.filter((box) => box.checked).length;
        const whole = boxes.length > 0 && chosen === boxes.length;
        form.querySelectorAll("[data-select-page]").forEach((box) => {
            box.checked = whole;
            box.indeterminate = chosen > 0 && !whole;
        });
        const count = form.querySelector("[data-count]");
        if (count) count.textContent = chosen ? ` (${chosen})` : "";
        const more = form.querySelector("[data-select-all]");
        if (more) more.hidden = !whole;
    };

    document.addEventListener("change", (event) => {
        const form = event.target.closest("[data-selection]");
        if (!form) return;
        if (event.target.matches("[data-select-page]")) rows(form).forEach((box) => (box.checked = event.target.checked));
        recount(form);
    });
    // Also when the browser brings a page back with its ticks.
    window.addEventListener("pageshow", () => document.querySelectorAll("[data-selection]").forEach(recount));
})();
