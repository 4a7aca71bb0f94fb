namespace ThreadExporter.Tests.Web.Pages;

/// <summary>Scripts that a test runs in a page.</summary>
internal static class PageChecks
{
    /// <summary>Elements that overflow the screen to the right, and the overflow of the page.</summary>
    public const string Overflow = """
        const width = document.documentElement.clientWidth;
        const out = [...document.querySelectorAll("body *")].filter(e => {
          const box = e.getBoundingClientRect();
          return box.width > 0 && box.right > width + 0.5 && !e.closest(".hidden") && getComputedStyle(e).position !== "absolute";
        });
        return { page: document.documentElement.scrollWidth - width, elements: out.map(e => e.outerHTML.slice(0, 100)) };
        """;

    /// <summary>Visible texts whose contrast with their background is below WCAG 2.2, 1.4.3 (AA), computed from the styles.</summary>
    public const string Contrast = """
        const rgb = text => (text.match(/[\d.]+/g) ?? []).map(Number);
        const channel = c => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
        const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
        const behind = e => {
          for (; e; e = e.parentElement) {
            const color = rgb(getComputedStyle(e).backgroundColor);
            if (color.length === 3 || color[3] === 1) return color;
            if (color[3] !== 0) throw new Error("half transparent: " + e.outerHTML.slice(0, 100));
          }
          return [255, 255, 255];
        };
        const bad = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        let seen = 0;
        const judge = (e, text) => {
          const style = getComputedStyle(e), box = e.getBoundingClientRect();
          if (!text.trim() || box.width === 0 || style.visibility !== "visible" || e.closest(".hidden")) return;
          seen++;
          const [a, b] = [light(rgb(style.color)), light(behind(e))];
          const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), size = parseFloat(style.fontSize);
          const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
          if (ratio < (large ? 3 : 4.5)) bad.push(`${ratio.toFixed(2)}: ${text.trim().slice(0, 40)} in ${e.outerHTML.slice(0, 100)}`);
        };
        while (walker.nextNode()) judge(walker.currentNode.parentElement, walker.currentNode.data);
        for (const field of document.querySelectorAll("input, select")) judge(field, field.value || "field");
        return { seen, bad };
        """;

    /// <summary>The focused element, and whether the focus is visible.</summary>
    public const string Focus = """
        const e = document.activeElement, style = getComputedStyle(e);
        return { name: e.id || e.dataset.sort || e.dataset.copy || e.className || e.getAttribute("href") || e.tagName,
                 visible: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 };
        """;

    /// <summary>The text of the rows.</summary>
    public const string Rows = """
        return [...document.querySelectorAll("#threads tbody tr")].map(r => [...r.cells].map(c => c.innerText.trim().replace(/\s+/g, " ")));
        """;
}
