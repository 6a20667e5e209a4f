() => {
    const state = (window.AG && AG.state) || {};
    const atlas = document.querySelectorAll(".atlas tbody tr");
    const texts = (items) => Array.from(items, (item) => item.textContent.trim());
    const target = location.hash.length > 1 && !location.hash.includes("=") && document.getElementById(location.hash.slice(1));
    return {
        heading: document.querySelector("h1").textContent.trim(),
        head: state.head || "",
        tokens: texts(document.querySelectorAll(".token[aria-selected=true]")),
        view: state.view || "",
        direction: state.direction || "",
        special: state.special || "",
        trace: state.trace || "",
        threshold: state.threshold ?? null,
        target: target ? target.textContent.trim() : "",
        rows: texts(Array.from(atlas).filter((row) => !row.hidden).map((row) => row.querySelector("th"))).map((name) => name.slice(0, 4)),
        filters: Array.from(document.querySelectorAll(".atlas-tools input, .atlas-tools select"), (field) => field.value),
    };
}
