# Draws operations a second by number of queues, a panel for each number of threads, as an SVG that follows the
# reader's light or dark theme. Input: store, threads, queues, operations a second. Needs -v title=…

BEGIN {
  width = 380; height = 260; left = 70; top = 78; gap = 80
  stores = split("stm stm_reference rwlock dashmap scc", order, " ")
  label["stm"] = "ours"; label["stm_reference"] = "reference engine"; label["rwlock"] = "RwLock"
  label["dashmap"] = "DashMap"; label["scc"] = "scc"
  # Colour-blind people tell them apart by their dashes.
  dash["stm_reference"] = "7 4"; dash["rwlock"] = "2 3"; dash["dashmap"] = "10 3 2 3"; dash["scc"] = "5 2"
}

NF == 4 {
  rate[$1, $2, $3] = $4
  store_seen[$1] = 1
  if (!($3 in queues_seen)) queues[++sizes] = $3
  queues_seen[$3] = 1
  low = low == "" || $4 < low ? $4 : low
  high = $4 > high ? $4 : high
  few = few == "" || $3 + 0 < few ? $3 + 0 : few
  many = $3 + 0 > many ? $3 + 0 : many
}

END {
  if (!sizes) exit
  low = floor_step(low); high = ceil_step(high)
  if (few == many) { few /= 2; many *= 2 }
  start()
  for (threads = 1; threads <= 2; threads++) panel(threads, left + (threads - 1) * (width + gap))
  print "</svg>"
}

function log10(x) { return log(x) / log(10) }

# The nearest of 1, 2, 5 × a power of ten below and above.
function floor_step(x,   unit, step) {
  unit = 10 ^ int(log10(x) + 1e-9)
  step = x / unit >= 5 ? 5 : x / unit >= 2 ? 2 : 1
  return step * unit
}

function ceil_step(x,   at) {
  at = floor_step(x)
  return at >= x ? at : next_step(at)
}

function next_step(x,   unit) {
  unit = 10 ^ int(log10(x) + 1e-9)
  return x / unit < 1.5 ? 2 * unit : x / unit < 3 ? 5 * unit : 10 * unit
}

function short(x) { return x >= 1000000 ? x / 1000000 " M" : x >= 1000 ? x / 1000 " k" : x }

function x_of(n, at) { return at + width * (log(n) - log(few)) / (log(many) - log(few)) }

function y_of(r) { return top + height * (log(high) - log(r)) / (log(high) - log(low)) }

function text(x, y, anchor, class, words) {
  printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">%s</text>\n", x, y, anchor, class, words
}

function line(x1, y1, x2, y2, class) {
  printf "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1, y1, x2, y2, class
}

function start(   full, tall, i, at) {
  full = left + 2 * width + gap + 30; tall = top + height + 60
  printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" font-family=\"sans-serif\" font-size=\"12\">\n", full, tall, full, tall
  printf "<title>%s: operations a second by number of queues, with one thread and with two</title>\n", title
  print "<style>"
  print ".back{fill:#fff;stroke:#9ca3af}.text{fill:#111827}.head{fill:#111827;font-weight:bold;font-size:14px}.grid{stroke:#e5e7eb}.axis{stroke:#6b7280}"
  print ".curve{stroke-width:2;fill:none}.curve.stm{stroke-width:3}"
  colours("stm #1d4ed8 stm_reference #7c3aed rwlock #b45309 dashmap #047857 scc #be123c")
  print "@media (prefers-color-scheme:dark){.back{fill:#0d1117;stroke:#4b5563}.text,.head{fill:#e5e7eb}.grid{stroke:#1f2937}.axis{stroke:#9ca3af}"
  colours("stm #60a5fa stm_reference #a78bfa rwlock #fbbf24 dashmap #34d399 scc #fb7185")
  print "}"
  print "</style>"
  printf "<rect x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"8\" class=\"back\"/>\n", full - 1, tall - 1
  text(full / 2, 24, "middle", "head", title)
  at = left
  for (i = 1; i <= stores; i++) {
    if (!(order[i] in store_seen)) continue
    curve(order[i], at " 44 " at + 34 " 44")
    text(at + 40, 48, "start", "text", label[order[i]])
    at += 70 + 7 * length(label[order[i]])
  }
}

function colours(list,   part, i, n) {
  n = split(list, part, " ")
  for (i = 1; i < n; i += 2) printf ".curve.%s{stroke:%s}.dot.%s{fill:%s}", part[i], part[i + 1], part[i], part[i + 1]
  print ""
}

function curve(store, points) {
  printf "<polyline points=\"%s\" class=\"%s curve\"%s/>\n", points, store, \
    store in dash ? " stroke-dasharray=\"" dash[store] "\"" : ""
}

function panel(threads, at,   i, n, r, step, points, dots) {
  text(at + width / 2, top - 10, "middle", "text", threads == 1 ? "1 thread" : threads " threads")
  for (step = low; step <= high * 1.001; step = next_step(step)) {
    line(at, y_of(step), at + width, y_of(step), "grid")
    text(at - 6, y_of(step) + 4, "end", "text", short(step))
  }
  for (i = 1; i <= sizes; i++) {
    line(x_of(queues[i], at), top + height, x_of(queues[i], at), top + height + 5, "axis")
    text(x_of(queues[i], at), top + height + 20, "middle", "text", short(queues[i]))
  }
  line(at, top + height, at + width, top + height, "axis")
  line(at, top, at, top + height, "axis")
  text(at + width / 2, top + height + 42, "middle", "text", "queues in the store (log scale)")
  printf "<text transform=\"translate(%d %d) rotate(-90)\" text-anchor=\"middle\" class=\"text\">operations a second (log scale)</text>\n", at - 52, top + height / 2
  for (i = 1; i <= stores; i++) {
    points = ""; dots = ""
    for (n = 1; n <= sizes; n++) {
      r = rate[order[i], threads, queues[n]]
      if (r == "") continue
      points = points sprintf("%.1f %.1f ", x_of(queues[n], at), y_of(r))
      dots = dots sprintf("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" class=\"%s dot\"/>\n", x_of(queues[n], at), y_of(r), order[i])
    }
    if (points == "") continue
    curve(order[i], points)
    printf "%s", dots
  }
}
