/// How pages look: light and dark, without anything from elsewhere.
enum RunPageStyle {
    static let css = """
        :root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--soft:#57606a;--rule:#d0d7de;--good:#116329;--bad:#a40e26;
        --c0:#0969da;--c1:#bc4c00;--c2:#1a7f37;--c3:#8250df;--c4:#bf3989;--c5:#57606a}
        @media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0d1117;--soft:#9198a1;--rule:#30363d;--good:#56d364;--bad:#ff7b72;
        --c0:#58a6ff;--c1:#f0883e;--c2:#56d364;--c3:#bc8cff;--c4:#f778ba;--c5:#9198a1}}
        body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
        main{max-width:60rem;margin:0 auto;padding:1rem}
        h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}
        code{font-size:.9em;overflow-wrap:anywhere}
        table{border-collapse:collapse;margin:0}
        .scroll{margin:1rem 0;overflow-x:auto}
        th,td{padding:.25rem .75rem;border-bottom:1px solid var(--rule);text-align:right;white-space:nowrap}
        th:first-child,td:first-child{text-align:left;white-space:normal;overflow-wrap:anywhere;min-width:12rem}
        th[scope=col]{white-space:normal}
        figure{margin:2rem 0}figcaption{font-weight:600}
        svg{width:100%;height:auto}
        .legend{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;margin:.25rem 0;padding:0;font-size:.9rem}
        .key{display:inline-block;width:1.2em;height:.25em;vertical-align:middle;margin-right:.4em}
        .line{fill:none;stroke-width:2;stroke-linejoin:round}
        .grid{stroke:var(--rule);stroke-width:1}.axis{fill:var(--soft);font-size:12px}
        .end{text-anchor:end}.middle{text-anchor:middle}
        .verdict{font-weight:600}.good{color:var(--good)}.bad{color:var(--bad)}.note{color:var(--soft)}
        \((0..<6).map { ".line.c\($0){stroke:var(--c\($0))}.key.c\($0){background:var(--c\($0))}" }.joined())
        """
}
