/// What is looked at in an open page, written in the page's own language. Each function gives faults as texts.
///
/// The rules are those of WCAG 2.2 (https://www.w3.org/TR/WCAG22/), numbered beside them.
enum PageScript {
    /// Runs every check; gives the faults of all of them.
    static let faults =
        shared + colours + structure + names + layout + focus + "return [...structure(), ...names(), ...layout(), "
        + "...contrast(), ...focus()]"

    /// Gives how many elements a Tab key reaches, after numbering them; what is reached later is noted in `window.reached`.
    static let beginTabbing =
        shared + """
            window.reached = []
            const stops = tabStops()
            stops.forEach((element, index) => element.dataset.tabStop = index)
            document.addEventListener('focusin', event => {
                const stop = event.target.dataset.tabStop
                reached.push([stop === undefined ? -1 : Number(stop), describe(event.target), event.target.type === 'radio'])
            })
            document.activeElement?.blur()
            window.getSelection()?.removeAllRanges()
            return stops.map(element => [describe(element), element.type === 'radio', /date|time|month|week/.test(element.type)])
            """

    /// Whether markup that is not the pages' own came in: scripts in the page, handlers in attributes, styles in attributes.
    static let intruders =
        shared + """
            const faults = []
            for (const script of document.scripts) {
                const place = script.getAttribute('src')
                const isData = script.type === 'application/json'
                if (!isData && (place === null || new URL(place, location).origin !== location.origin))
                    faults.push(`a script that is not a file of ours: ${script.outerHTML.slice(0, 80)}`)
            }
            for (const element of document.querySelectorAll('*'))
                for (const {name, value} of element.attributes) {
                    if (/^on/i.test(name)) faults.push(`${describe(element)} has a handler: ${name}`)
                    if (/^style$/i.test(name)) faults.push(`${describe(element)} has a style of its own`)
                    if (/^(href|src|action|formaction)$/i.test(name) && /^\\s*(javascript|data|vbscript):/i.test(value)
                        && element.tagName !== 'IMG') faults.push(`${describe(element)} leads to ${value.slice(0, 40)}`)
                }
            return faults
            """

    private static let shared = #"""
        const describe = element => {
            const name = element.getAttribute('name') ?? element.getAttribute('href')
            const text = (element.textContent ?? '').trim().replace(/\s+/g, ' ').slice(0, 40)
            return `<${element.tagName.toLowerCase()}${element.id ? '#' + element.id : ''}${name ? ` ${name}` : ''}> "${text}"`
        }
        const all = selector => [...document.querySelectorAll(selector)]
        const isShown = element => element.checkVisibility({checkVisibilityCSS: true, checkOpacity: true})
            && element.getClientRects().length > 0
        /** Off the page, or cut to nothing: for those alone who hear the page. */
        const isForEars = element => {
            for (let at = element; at && at !== document.body; at = at.parentElement) {
                const style = getComputedStyle(at), box = at.getBoundingClientRect()
                if (style.position === 'absolute' || style.position === 'fixed')
                    if (box.width <= 2 || box.height <= 2 || box.right + scrollX <= 0 || box.bottom + scrollY <= 0
                        || /inset\(50%\)/.test(style.clipPath) || /rect\((0|1)px/.test(style.clip)) return true
            }
            return false
        }
        const tabStops = () => all('a[href], button, input, select, textarea, summary, [tabindex]').filter(element =>
            !element.disabled && element.type !== 'hidden' && element.tabIndex >= 0 && isShown(element)
            && !element.closest('[inert]'))
        const named = (element, attribute) => (element.getAttribute(attribute) ?? '').split(/\s+/).filter(id => id)
            .map(id => document.getElementById(id)?.textContent ?? '').join(' ').trim()

        """#

    private static let structure = #"""
        const structure = () => {
            const faults = [], root = document.documentElement
            if (!root.lang) faults.push('the page says no language (3.1.1)')
            if (!document.title.trim()) faults.push('the page has no title (2.4.2)')
            if (document.compatMode !== 'CSS1Compat') faults.push('the page is in quirks mode')
            const zoom = document.querySelector('meta[name=viewport]')?.content ?? ''
            if (!zoom) faults.push('no viewport is set')
            if (/user-scalable\s*=\s*no|maximum-scale\s*=\s*1(\D|$)/.test(zoom)) faults.push('the page can not be enlarged (1.4.4)')
            const headings = all('h1')
            if (headings.length !== 1) faults.push(`${headings.length} elements h1`)
            for (const heading of all('h1, h2, h3, h4, h5, h6'))
                if (!heading.textContent.trim()) faults.push(`an empty heading: ${describe(heading)}`)
            if (all('main').length !== 1) faults.push(`${all('main').length} elements main`)
            const navigations = all('nav, [role=navigation]')
            const isOutside = ['sign-in', 'error'].includes(document.body.dataset.page)
            if (!navigations.length && !isOutside) faults.push('no nav')
            if (navigations.length > 1)
                for (const navigation of navigations)
                    if (!navigation.ariaLabel && !named(navigation, 'aria-labelledby'))
                        faults.push(`one of several nav has no name: ${describe(navigation)}`)
            const seen = new Set()
            for (const element of all('[id]')) {
                // Not element.id: a form's is the control of that name.
                const id = element.getAttribute('id')
                seen.has(id) ? faults.push(`two elements with the id ${id}`) : seen.add(id)
            }
            for (const attribute of ['for', 'aria-labelledby', 'aria-describedby', 'aria-controls', 'list'])
                for (const element of all(`[${attribute}]`))
                    for (const id of element.getAttribute(attribute).split(/\s+/))
                        if (id && !document.getElementById(id))
                            faults.push(`${describe(element)}: ${attribute} names ${id}, which is not there`)
            for (const element of all('[tabindex]'))
                if (element.tabIndex > 0) faults.push(`${describe(element)} has a tabindex above 0 (2.4.3)`)
            for (const table of all('table')) {
                if (!table.querySelector('th')) faults.push(`a table without header cells: ${describe(table)} (1.3.1)`)
                for (const cell of table.querySelectorAll('thead th'))
                    if (!cell.textContent.trim() && !cell.ariaLabel) faults.push('a header cell without text (1.3.1)')
            }
            for (const list of all('ul, ol'))
                for (const item of list.children)
                    if (!['LI', 'SCRIPT', 'TEMPLATE'].includes(item.tagName)) faults.push(`${describe(item)} in a list is no li`)
            return faults
        }

        """#

    private static let names = #"""
        const nameOf = element => element.ariaLabel?.trim() || named(element, 'aria-labelledby')
        const textOf = element => {
            let text = ''
            for (const node of element.childNodes) {
                if (node.nodeType === Node.TEXT_NODE) text += node.data
                else if (node.nodeType !== Node.ELEMENT_NODE || node.ariaHidden === 'true') continue
                else if (node.tagName === 'IMG') text += node.alt
                else text += nameOf(node) || textOf(node)
            }
            return text.trim()
        }
        const names = () => {
            const faults = []
            for (const control of all('input, select, textarea')) {
                if (['hidden', 'image'].includes(control.type)) continue
                const isButton = ['submit', 'button', 'reset'].includes(control.type)
                const label = isButton ? control.value : [...control.labels ?? []].map(textOf).join(' ').trim()
                if (!label && !nameOf(control)) faults.push(`${describe(control)} has no label (4.1.2)`)
            }
            for (const element of all('button, a[href], summary, [role=button], [role=link]'))
                if (!textOf(element) && !nameOf(element)) faults.push(`${describe(element)} has no name (4.1.2)`)
            for (const element of all('[role=region], [role=img], [role=group], [role=dialog], dialog'))
                if (!nameOf(element) && !element.querySelector(':scope > title'))
                    faults.push(`${describe(element)} with a role has no name (4.1.2)`)
            for (const group of all('fieldset'))
                if (!group.querySelector(':scope > legend')?.textContent.trim() && !nameOf(group))
                    faults.push(`a fieldset without a legend: ${describe(group)} (1.3.1)`)
            for (const image of all('img, input[type=image], area'))
                if (!image.hasAttribute('alt')) faults.push(`${describe(image)} has no alt (1.1.1)`)
            for (const drawing of all('svg'))
                if (!drawing.closest('[aria-hidden=true]') && drawing.getAttribute('role') !== 'img')
                    faults.push(`a drawing is neither hidden nor role=img: ${describe(drawing)} (1.1.1)`)
            for (const message of all('[data-error], .error[id]'))
                if (message.textContent.trim() && !message.closest('[role=alert]') && !document.querySelector(
                    `[aria-describedby~="${message.id}"]`)) faults.push(`an error nobody is told of: ${describe(message)} (4.1.3)`)
            return faults
        }

        """#

    private static let layout = #"""
        const layout = () => {
            const faults = [], root = document.documentElement, width = root.clientWidth
            const scrolls = element => {
                for (let at = element.parentElement; at && at !== document.body; at = at.parentElement)
                    if (getComputedStyle(at).overflowX !== 'visible') return true
                return false
            }
            if (root.scrollWidth > width) {
                const wide = all('body *').filter(element => isShown(element) && !isForEars(element)
                    && element.getBoundingClientRect().right > width + 1 && !scrolls(element))
                const which = wide.slice(0, 3).map(describe).join(', ')
                faults.push(`the page is ${root.scrollWidth} wide in a window of ${width}: ${which} (1.4.10)`)
            }
            for (const element of all('body *')) {
                const style = getComputedStyle(element)
                const isScrolled = /auto|scroll/.test(style.overflowX) && element.scrollWidth > element.clientWidth + 1
                if (isScrolled && isShown(element) && element.tabIndex < 0 && !element.querySelector('a[href], button, input, summary'))
                    faults.push(`${describe(element)} scrolls, but not by keyboard (2.1.1)`)
            }
            for (const button of all('button, input[type=submit], summary, select')) {
                const box = button.getBoundingClientRect()
                if (isShown(button) && !isForEars(button) && box.height < 24)
                    faults.push(`${describe(button)} is only ${Math.round(box.height)} high (2.5.8)`)
            }
            return faults
        }

        """#
}
