extension PageScript {
    /// What colours there really are, and whether text can be read on them (1.4.3), and whether focus can be seen (2.4.7).
    static let colours = #"""
        const brush = Object.assign(document.createElement('canvas'), {width: 1, height: 1})
            .getContext('2d', {willReadFrequently: true})
        const known = new Map()
        /** Red, green, blue and alpha from 0 to 1, of whatever CSS takes for a colour. */
        const colour = text => {
            if (!known.has(text)) {
                brush.clearRect(0, 0, 1, 1)
                brush.fillStyle = '#000'
                brush.fillStyle = text
                brush.fillRect(0, 0, 1, 1)
                known.set(text, [...brush.getImageData(0, 0, 1, 1).data].map(part => part / 255))
            }
            return known.get(text)
        }
        const over = (above, below) => {
            const alpha = above[3] + below[3] * (1 - above[3])
            const mix = index => alpha ? (above[index] * above[3] + below[index] * below[3] * (1 - above[3])) / alpha : 0
            return [mix(0), mix(1), mix(2), alpha]
        }
        const faded = (shade, opacity) => [shade[0], shade[1], shade[2], shade[3] * opacity]
        const luminance = shade => {
            const [red, green, blue] = shade.slice(0, 3).map(
                part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
            return 0.2126 * red + 0.7152 * green + 0.0722 * blue
        }
        const ratio = (one, other) => {
            const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a)
            return (light + 0.05) / (dark + 0.05)
        }
        const canvas = () => {
            const scheme = getComputedStyle(document.documentElement).colorScheme
            const prefersDark = matchMedia('(prefers-color-scheme: dark)').matches
            const isDark = /dark/.test(scheme) && (!/light/.test(scheme) || prefersDark)
            return isDark ? colour('#121212') : colour('#fff')
        }
        /** What is seen behind an element's text; null where a picture is. */
        const ground = element => {
            const layers = []
            for (let at = element; at; at = at.parentElement) {
                const style = getComputedStyle(at)
                if (style.backgroundImage !== 'none' && !at.matches('select, summary')) return null
                layers.push([colour(style.backgroundColor), Number(style.opacity)])
                if (layers.at(-1)[0][3] === 1 && layers.at(-1)[1] === 1) break
            }
            return layers.reverse().reduce((below, [shade, opacity]) => over(faded(shade, opacity), below), canvas())
        }
        const opacity = element => {
            let whole = 1
            for (let at = element; at; at = at.parentElement) whole *= Number(getComputedStyle(at).opacity)
            return whole
        }
        const needed = style => {
            const size = parseFloat(style.fontSize), isBold = Number(style.fontWeight) >= 700
            return size >= 24 || size >= 18.66 && isBold ? 3 : 4.5
        }
        const judge = (element, text, shade, style, faults) => {
            const below = ground(element)
            if (!below) return faults.push(`${describe(element)} is written on a picture`)
            const found = ratio(over(faded(colour(shade), opacity(element)), below), below)
            if (found < needed(style) - 0.005)
                faults.push(`contrast ${found.toFixed(2)}, needed ${needed(style)}: ${describe(element)} "${text.slice(0, 30)}" (1.4.3)`)
        }
        const contrast = () => {
            const faults = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), seen = new Set()
            while (walker.nextNode()) {
                const text = walker.currentNode.data.trim(), element = walker.currentNode.parentElement
                if (!text || seen.has(element) || element.closest('script, style, template, noscript, option, title, desc, textarea'))
                    continue
                seen.add(element)
                if (element.closest(':disabled') || !isShown(element) || isForEars(element)) continue
                const style = getComputedStyle(element)
                judge(element, text, element.closest('svg') ? style.fill : style.color, style, faults)
            }
            for (const control of all('input, textarea, select')) {
                if (control.disabled || !isShown(control) || isForEars(control)) continue
                if (['checkbox', 'radio', 'hidden', 'range', 'color', 'file'].includes(control.type)) continue
                const style = getComputedStyle(control)
                judge(control, control.value || 'what is typed', style.color, style, faults)
                if (control.placeholder && !control.value)
                    judge(control, control.placeholder, getComputedStyle(control, '::placeholder').color, style, faults)
            }
            return faults
        }

        """#

    /// Each element that takes the focus looks otherwise with it.
    static let focus = #"""
        const ring = element => {
            const style = getComputedStyle(element)
            const hasOutline = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0
                && (style.outlineStyle === 'auto' || colour(style.outlineColor)[3] > 0.3)
            return {hasOutline, shadow: style.boxShadow, outline: [style.outlineStyle, style.outlineWidth, style.outlineColor].join()}
        }
        const focus = () => {
            const faults = [], place = [scrollX, scrollY], last = document.activeElement
            for (const element of tabStops()) {
                element.blur()
                const before = ring(element)
                element.focus({preventScroll: true, focusVisible: true})
                if (document.activeElement !== element) continue
                const after = ring(element)
                const isSeen = after.hasOutline && after.outline !== before.outline || after.shadow !== before.shadow
                if (!isSeen) faults.push(`focus is not seen on ${describe(element)} (2.4.7)`)
                element.blur()
            }
            last?.focus({preventScroll: true})
            scrollTo(...place)
            return faults
        }

        """#
}
