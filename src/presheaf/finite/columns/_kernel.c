/* The compiled kernel of presheaf.finite: completion of unary presentations, union-find, renumbering, joins.
 *
 * Every operation symbol of a set-valued functor is an arrow, so it has arity one.  Congruence closure then needs no
 * terms and no hash table: a union-find over row numbers, and the merging of two rows of one table, are complete.
 *
 * Two engines share one state:
 *   monoid   T[x, g] for generators only.  HLT: every equation is traced at every row in order of row number, missing
 *            steps are made on the way (Todd and Coxeter 1936; Haselgrove, Leech and Trotter as told by Cannon, Dimino,
 *            Havas and Watson 1973; Carmody and Walters 1995 for categories).  Felsch: one missing entry is defined at a
 *            time, and every new entry is looked at in every equation it can take part in, through lists of pre-images.
 *   groupoid every generator has an inverse letter and T[x, l] = y iff T[y, l'] = x.  Equations are relators, which are
 *            scanned from both ends; Felsch (1961) scans the rotations that start with the new entry's letter.
 *
 * Of two coinciding rows the smaller number lives.  Rows are looked at in order of their number, which is fair, so that
 * a run ends whenever the extension is finite and memory lasts.  Nothing here depends on time or addresses: the same
 * input gives the same table.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef int32_t i32;

enum { MONOID = 0, GROUPOID = 1 };
enum { RUN_COMPLETE = 0, RUN_PAUSED = 1, RUN_ROWS = 2, RUN_BYTES = 3 };

static double now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---------------------------------------------------------------- a stack of integers that grows */
typedef struct {
    i32 *at;
    int64_t n, cap;
} Stack;

static int stack_room(Stack *s, int64_t more)
{
    if (s->n + more <= s->cap)
        return 0;
    int64_t cap = s->cap ? s->cap : 1024;
    while (cap < s->n + more)
        cap *= 2;
    i32 *p = (i32 *)realloc(s->at, (size_t)cap * sizeof(i32));
    if (!p)
        return -1;
    s->at = p;
    s->cap = cap;
    return 0;
}

/* ---------------------------------------------------------------- state */
typedef struct {
    PyObject_HEAD
    int kind, fill, deduce;
    i32 sorts, letters, width;
    i32 *src, *dst, *inv, *col;      /* by letter; col = column of the letter in rows of its source sort */
    i32 *letter_at;                  /* [sort * width + column] -> letter or -1 */
    i32 *into, inwidth;              /* by letter: its place among the letters into its target sort (Felsch, monoid) */
    /* words: word w occupies letters wl[woff[w] .. woff[w+1]) */
    i32 words, *woff, *wl;
    i32 *wcol, *wback;               /* columns along a word forwards, and of the inverse letters (groupoid) */
    /* monoid: equation e is the pair of words 2e, 2e+1; groupoid: words [0, relators) are filled, the rest are the
       rotations, ordered by first letter */
    i32 equations, relators;
    i32 *eq_at, *eq_list;            /* by sort: equations (or relators) that start there, CSR */
    i32 *rot_at;                     /* groupoid: by letter: first rotation, CSR into words */
    i32 *occ_at, *occ_word, *occ_pos;/* monoid Felsch: by letter: where it occurs, CSR */
    /* table */
    int64_t cap, n, live, pos, defined, peak_bytes;
    i32 *T, *par;
    uint16_t *sort;
    i32 *head, *next;                /* pre-image lists (monoid Felsch) */
    Stack merges, deductions, trail;
    i32 *unit;
    int64_t units;
    int64_t need;                    /* the most rows that one step may make */
    int failed;                      /* memory ran out inside a step */
    double alarm;
} Engine;

static int64_t bytes_a_row(const Engine *e)
{
    int64_t b = (int64_t)e->width * 4 + 4 + 2;
    if (e->head)
        b += (int64_t)(e->inwidth + e->width) * 4;
    return b;
}

static int64_t bytes_held(const Engine *e)
{
    return e->cap * bytes_a_row(e) + 4 * (e->merges.cap + e->deductions.cap + e->trail.cap + e->units);
}

static int table_resize(Engine *e, int64_t cap)
{
    i32 *T = (i32 *)realloc(e->T, (size_t)(cap * (e->width ? e->width : 1)) * sizeof(i32));
    if (!T)
        return -1;
    e->T = T;
    i32 *par = (i32 *)realloc(e->par, (size_t)cap * sizeof(i32));
    if (!par)
        return -1;
    e->par = par;
    uint16_t *sort = (uint16_t *)realloc(e->sort, (size_t)cap * sizeof(uint16_t));
    if (!sort)
        return -1;
    e->sort = sort;
    if (e->kind == MONOID && e->deduce) {
        i32 *head = (i32 *)realloc(e->head, (size_t)(cap * (e->inwidth ? e->inwidth : 1)) * sizeof(i32));
        if (!head)
            return -1;
        e->head = head;
        i32 *next = (i32 *)realloc(e->next, (size_t)(cap * (e->width ? e->width : 1)) * sizeof(i32));
        if (!next)
            return -1;
        e->next = next;
    }
    e->cap = cap;
    return 0;
}

static inline i32 find(Engine *e, i32 x)
{
    i32 *par = e->par;
    while (par[x] != x) {
        par[x] = par[par[x]];
        x = par[x];
    }
    return x;
}

static inline i32 make_row(Engine *e, i32 sort)
{
    i32 y = (i32)e->n++;
    e->par[y] = y;
    e->sort[y] = (uint16_t)sort;
    i32 *row = e->T + (int64_t)y * e->width;
    for (i32 c = 0; c < e->width; c++)
        row[c] = -1;
    if (e->head) {
        i32 *h = e->head + (int64_t)y * e->inwidth;
        for (i32 c = 0; c < e->inwidth; c++)
            h[c] = -1;
    }
    e->live++;
    e->defined++;
    return y;
}

static inline void push_deduction(Engine *e, i32 x, i32 letter)
{
    if (!e->deduce)
        return;
    if (stack_room(&e->deductions, 2) < 0) {
        e->failed = 1;
        return;
    }
    e->deductions.at[e->deductions.n++] = x;
    e->deductions.at[e->deductions.n++] = letter;
}

static inline void push_merge(Engine *e, i32 a, i32 b)
{
    if (stack_room(&e->merges, 2) < 0) {
        e->failed = 1;
        return;
    }
    e->merges.at[e->merges.n++] = a;
    e->merges.at[e->merges.n++] = b;
}

/* ---------------------------------------------------------------- groupoid engine */
static void g_unite(Engine *e, i32 a, i32 b)
{
    a = find(e, a);
    b = find(e, b);
    if (a == b)
        return;
    if (a > b) {
        i32 t = a;
        a = b;
        b = t;
    }
    e->par[b] = a;
    e->live--;
    push_merge(e, b, 0);
}

/* Holt, Eick and O'Brien, Handbook of Computational Group Theory (2005), section 5.1.3, procedure COINCIDENCE. */
static void g_coincidence(Engine *e, i32 a, i32 b)
{
    const i32 W = e->width;
    g_unite(e, a, b);
    while (e->merges.n) {
        e->merges.n -= 2;
        i32 dead = e->merges.at[e->merges.n];
        const i32 *letter_at = e->letter_at + (int64_t)e->sort[dead] * W;
        for (i32 c = 0; c < W; c++) {
            i32 z = e->T[(int64_t)dead * W + c];
            if (z < 0)
                continue;
            i32 l = letter_at[c], back = e->col[e->inv[l]];
            e->T[(int64_t)dead * W + c] = -1;
            if (e->T[(int64_t)z * W + back] == dead)
                e->T[(int64_t)z * W + back] = -1;
            i32 mu = find(e, dead), nu = find(e, z);
            i32 there = e->T[(int64_t)mu * W + c];
            if (there >= 0) {
                g_unite(e, nu, there);
                continue;
            }
            there = e->T[(int64_t)nu * W + back];
            if (there >= 0) {
                g_unite(e, mu, there);
                continue;
            }
            e->T[(int64_t)mu * W + c] = nu;
            e->T[(int64_t)nu * W + back] = mu;
            push_deduction(e, mu, l);
        }
    }
}

static inline void g_join(Engine *e, i32 x, i32 letter, i32 y)
{
    e->T[(int64_t)x * e->width + e->col[letter]] = y;
    e->T[(int64_t)y * e->width + e->col[e->inv[letter]]] = x;
    push_deduction(e, x, letter);
}

static inline i32 g_define(Engine *e, i32 x, i32 letter)
{
    i32 y = make_row(e, e->dst[letter]);
    g_join(e, x, letter, y);
    return y;
}

/* Trace word w from x towards y from both ends.  With `fill`, close any gap by new rows; without, only a gap of one
   letter (a deduction) or none (a coincidence) tells something. */
static inline void g_scan(Engine *e, i32 x, i32 y, i32 w, int fill)
{
    const i32 W = e->width;
    const i32 *T = e->T;
    const i32 *f = e->wcol + e->woff[w], *r = e->wback + e->woff[w];
    const i32 *wl = e->wl + e->woff[w];
    i32 i = 0, j = e->woff[w + 1] - e->woff[w] - 1, a = x, b = y, t;
    while (i <= j && (t = T[(int64_t)a * W + f[i]]) >= 0) {
        a = t;
        i++;
    }
    if (i > j) {
        if (a != b)
            g_coincidence(e, a, b);
        return;
    }
    for (;;) {
        while (j >= i && (t = T[(int64_t)b * W + r[j]]) >= 0) {
            b = t;
            j--;
        }
        if (j < i) {
            if (a != b)
                g_coincidence(e, a, b);
            return;
        }
        if (j == i) {
            g_join(e, a, wl[i], b);
            return;
        }
        if (!fill)
            return;
        a = g_define(e, a, wl[i]);
        i++;
        while (i <= j && (t = T[(int64_t)a * W + f[i]]) >= 0) {
            a = t;
            i++;
        }
        if (i > j) {
            if (a != b)
                g_coincidence(e, a, b);
            return;
        }
    }
}

static void g_deductions(Engine *e)
{
    while (e->deductions.n && !e->failed) {
        e->deductions.n -= 2;
        i32 x = e->deductions.at[e->deductions.n], l = e->deductions.at[e->deductions.n + 1];
        for (i32 w = e->rot_at[l]; w < e->rot_at[l + 1]; w++) {
            if (e->par[x] != x || e->T[(int64_t)x * e->width + e->col[l]] < 0)
                break;
            g_scan(e, x, x, w, 0);
        }
    }
}

static void g_step(Engine *e, i32 x)
{
    i32 s = e->sort[x];
    if (e->fill)
        for (i32 k = e->eq_at[s]; k < e->eq_at[s + 1]; k++) {
            g_scan(e, x, x, e->eq_list[k], 1);
            if (e->deduce)
                g_deductions(e);
            if (e->par[x] != x)
                return;
        }
    for (i32 c = 0; c < e->width; c++) {
        i32 l = e->letter_at[(int64_t)s * e->width + c];
        if (l < 0 || e->T[(int64_t)x * e->width + c] >= 0)
            continue;
        g_define(e, x, l);
        if (e->deduce) {
            g_deductions(e);
            if (e->par[x] != x)
                return;
        }
    }
}

/* ---------------------------------------------------------------- monoid engine */
static inline void m_link(Engine *e, i32 x, i32 letter, i32 y)
{
    int64_t at = (int64_t)x * e->width + e->col[letter];
    e->T[at] = y;
    if (e->head) {
        i32 *h = e->head + (int64_t)y * e->inwidth + e->into[letter];
        e->next[at] = *h;
        *h = x;
        push_deduction(e, x, letter);
    }
}

static void m_coincidence(Engine *e, i32 a, i32 b)
{
    const i32 W = e->width;
    push_merge(e, a, b);
    while (e->merges.n && !e->failed) {
        e->merges.n -= 2;
        a = find(e, e->merges.at[e->merges.n]);
        b = find(e, e->merges.at[e->merges.n + 1]);
        if (a == b)
            continue;
        if (a > b) {
            i32 t = a;
            a = b;
            b = t;
        }
        e->par[b] = a;
        e->live--;
        if (e->head) {
            /* Live rows that pointed at b point at a from now on. */
            for (i32 l = 0; l < e->letters; l++) {
                if (e->dst[l] != e->sort[b])
                    continue;
                i32 x = e->head[(int64_t)b * e->inwidth + e->into[l]];
                while (x >= 0) {
                    int64_t at = (int64_t)x * W + e->col[l];
                    i32 after = e->next[at];
                    if (e->par[x] == x || x == b)
                        if (e->T[at] == b)
                            m_link(e, x, l, a);
                    x = after;
                }
                e->head[(int64_t)b * e->inwidth + e->into[l]] = -1;
            }
        }
        const i32 *letter_at = e->letter_at + (int64_t)e->sort[b] * W;
        for (i32 c = 0; c < W; c++) {
            i32 tb = e->T[(int64_t)b * W + c];
            if (tb < 0)
                continue;
            i32 ta = e->T[(int64_t)a * W + c];
            if (ta < 0)
                m_link(e, a, letter_at[c], find(e, tb));
            else if (ta != tb)
                push_merge(e, ta, tb);
        }
    }
}

/* Follow letters [from, to) of the word list from x; make what is missing. */
static inline i32 m_fill(Engine *e, i32 x, i32 from, i32 to)
{
    const i32 W = e->width;
    for (i32 k = from; k < to; k++) {
        i32 *cell = e->T + (int64_t)x * W + e->wcol[k];
        if (*cell < 0) {
            i32 y = make_row(e, e->dst[e->wl[k]]);
            m_link(e, x, e->wl[k], y);
            x = y;
        } else {
            i32 y = *cell;
            if (e->par[y] != y)
                *cell = y = find(e, y);
            x = y;
        }
    }
    return x;
}

static inline i32 m_peek(Engine *e, i32 x, i32 k)
{
    i32 y = e->T[(int64_t)x * e->width + e->wcol[k]];
    return y < 0 ? y : find(e, y);
}

/* Make word u at x and word v at y meet (either may be empty). */
static void m_meet(Engine *e, i32 x, i32 u, i32 y, i32 v)
{
    i32 u0 = e->woff[u], u1 = e->woff[u + 1], v0 = e->woff[v], v1 = e->woff[v + 1];
    i32 p = u1 > u0 ? m_fill(e, x, u0, u1 - 1) : x;
    i32 q = v1 > v0 ? m_fill(e, y, v0, v1 - 1) : y;
    i32 a = u1 > u0 ? m_peek(e, p, u1 - 1) : p;
    i32 b = v1 > v0 ? m_peek(e, q, v1 - 1) : q;
    if (a >= 0 && b >= 0) {
        if (a != b)
            m_coincidence(e, a, b);
    } else if (a >= 0) {
        m_link(e, q, e->wl[v1 - 1], a);
    } else if (b >= 0) {
        m_link(e, p, e->wl[u1 - 1], b);
    } else {
        a = make_row(e, e->dst[e->wl[u1 - 1]]);
        m_link(e, p, e->wl[u1 - 1], a);
        if (p != q || e->wl[u1 - 1] != e->wl[v1 - 1])
            m_link(e, q, e->wl[v1 - 1], a);
    }
}

/* As far as word w leads from x; *left is the number of letters that were not to be followed. */
static inline i32 m_trace(Engine *e, i32 x, i32 w, i32 *left)
{
    const i32 W = e->width;
    i32 k = e->woff[w], end = e->woff[w + 1];
    for (; k < end; k++) {
        i32 y = e->T[(int64_t)x * W + e->wcol[k]];
        if (y < 0)
            break;
        x = y;
    }
    *left = end - k;
    return x;
}

static void m_check(Engine *e, i32 z, i32 word)
{
    i32 u = word, v = word ^ 1, lu, lv;
    i32 p = m_trace(e, z, u, &lu);
    if (lu > 1)
        return;
    i32 q = m_trace(e, z, v, &lv);
    if (lu == 0 && lv == 0) {
        if (p != q)
            m_coincidence(e, p, q);
    } else if (lu == 0 && lv == 1) {
        m_link(e, q, e->wl[e->woff[v + 1] - 1], p);
    } else if (lu == 1 && lv == 0) {
        m_link(e, p, e->wl[e->woff[u + 1] - 1], q);
    }
}

/* Every row z with z . w[0..pos) = x, collected on the trail from `base` on. */
static int m_sources(Engine *e, i32 x, i32 w, i32 pos, int64_t base)
{
    Stack *t = &e->trail;
    t->n = base;
    if (stack_room(t, 1) < 0)
        return -1;
    t->at[t->n++] = x;
    int64_t from = base;
    for (i32 k = pos - 1; k >= 0; k--) {
        i32 l = e->wl[e->woff[w] + k];
        int64_t to = t->n;
        for (int64_t i = from; i < to; i++) {
            i32 y = t->at[i];
            for (i32 z = e->head[(int64_t)y * e->inwidth + e->into[l]]; z >= 0;
                 z = e->next[(int64_t)z * e->width + e->col[l]]) {
                if (e->par[z] != z)
                    continue;
                if (stack_room(t, 1) < 0)
                    return -1;
                t->at[t->n++] = z;
            }
        }
        if (t->n == to) {
            t->n = base;
            return 0;
        }
        /* The new layer moves down onto the old one. */
        memmove(t->at + from, t->at + to, (size_t)(t->n - to) * sizeof(i32));
        t->n = from + (t->n - to);
    }
    return 0;
}

static void m_deductions(Engine *e)
{
    while (e->deductions.n && !e->failed) {
        e->deductions.n -= 2;
        i32 x = e->deductions.at[e->deductions.n], l = e->deductions.at[e->deductions.n + 1];
        for (i32 o = e->occ_at[l]; o < e->occ_at[l + 1]; o++) {
            if (e->par[x] != x)
                break;
            if (m_sources(e, x, e->occ_word[o], e->occ_pos[o], 0) < 0) {
                e->failed = 1;
                return;
            }
            int64_t many = e->trail.n;
            for (int64_t i = 0; i < many && !e->failed; i++) {
                i32 z = e->trail.at[i];
                if (e->par[z] == z)
                    m_check(e, z, e->occ_word[o]);
            }
        }
    }
}

static void m_step(Engine *e, i32 x)
{
    i32 s = e->sort[x];
    if (e->fill)
        for (i32 k = e->eq_at[s]; k < e->eq_at[s + 1]; k++) {
            i32 q = e->eq_list[k];
            m_meet(e, x, 2 * q, x, 2 * q + 1);
            if (e->deduce)
                m_deductions(e);
            if (e->par[x] != x)
                return;
        }
    else
        /* An equation with an empty side can be broken at a row that has no entry yet to be deduced from. */
        for (i32 k = e->eq_at[s]; k < e->eq_at[s + 1]; k++)
            if (e->woff[2 * e->eq_list[k]] == e->woff[2 * e->eq_list[k] + 1] ||
                e->woff[2 * e->eq_list[k] + 1] == e->woff[2 * e->eq_list[k] + 2]) {
                m_check(e, x, 2 * e->eq_list[k]);
                m_deductions(e);
                if (e->par[x] != x)
                    return;
            }
    for (i32 c = 0; c < e->width; c++) {
        i32 l = e->letter_at[(int64_t)s * e->width + c];
        if (l < 0 || e->T[(int64_t)x * e->width + c] >= 0)
            continue;
        m_link(e, x, l, make_row(e, e->dst[l]));
        if (e->deduce) {
            m_deductions(e);
            if (e->par[x] != x)
                return;
        }
    }
}

/* ---------------------------------------------------------------- both */
/* Renumber the living rows without gaps, in their order. */
static int compact(Engine *e)
{
    const i32 W = e->width;
    i32 *map = (i32 *)malloc((size_t)(e->n ? e->n : 1) * sizeof(i32));
    if (!map)
        return -1;
    i32 k = 0;
    int64_t pos = 0;
    for (int64_t x = 0; x < e->n; x++) {
        if (x == e->pos)
            pos = k;
        map[x] = e->par[x] == x ? k++ : -1;
    }
    if (e->pos >= e->n)
        pos = k;
    for (int64_t x = 0; x < e->n; x++)
        if (map[x] < 0) {
            i32 r = find(e, (i32)x);
            map[x] = map[r];
        }
    for (int64_t u = 0; u < e->units; u++)
        e->unit[u] = map[e->unit[u]];
    /* Entries that wait to be looked at; those of dead rows went to the living ones as new entries or as merges. */
    int64_t waiting = 0;
    for (int64_t d = 0; d < e->deductions.n; d += 2) {
        i32 x = e->deductions.at[d];
        if (e->par[x] != x)
            continue;
        e->deductions.at[waiting++] = map[x];
        e->deductions.at[waiting++] = e->deductions.at[d + 1];
    }
    e->deductions.n = waiting;
    i32 last = -1;
    for (int64_t x = 0; x < e->n; x++) {
        i32 y = map[x];
        if (y <= last)
            continue; /* dead: its number belongs to an earlier row */
        last = y;
        const i32 *from = e->T + x * W;
        i32 *to = e->T + (int64_t)y * W;
        for (i32 c = 0; c < W; c++) {
            i32 t = from[c];
            to[c] = t < 0 ? -1 : map[t];
        }
        e->sort[y] = e->sort[x];
    }
    for (i32 x = 0; x < k; x++)
        e->par[x] = x;
    e->n = k;
    e->pos = pos;
    if (e->head) {
        for (int64_t i = 0; i < (int64_t)k * e->inwidth; i++)
            e->head[i] = -1;
        for (i32 x = k - 1; x >= 0; x--)
            for (i32 c = 0; c < W; c++) {
                i32 t = e->T[(int64_t)x * W + c];
                if (t < 0)
                    continue;
                i32 l = e->letter_at[(int64_t)e->sort[x] * W + c];
                i32 *h = e->head + (int64_t)t * e->inwidth + e->into[l];
                e->next[(int64_t)x * W + c] = *h;
                *h = x;
            }
    }
    free(map);
    return 0;
}

/* Scan the relators at all rows that were not looked at yet, without making rows (groupoid HLT's look-ahead). */
static void look_ahead(Engine *e)
{
    for (int64_t x = e->pos; x < e->n && !e->failed; x++) {
        if (e->par[x] != x)
            continue;
        i32 s = e->sort[x];
        for (i32 k = e->eq_at[s]; k < e->eq_at[s + 1] && e->par[x] == x; k++)
            g_scan(e, (i32)x, (i32)x, e->eq_list[k], 0);
    }
}

/* Room for `more` rows: reclaim the dead when they are many, else grow.  0, RUN_ROWS or RUN_BYTES. */
static int room(Engine *e, int64_t more, int64_t max_rows, int64_t max_bytes)
{
    if (e->n + more <= e->cap && e->n + more <= max_rows)
        return 0;
    if (e->kind == GROUPOID && e->fill && !e->deduce && (e->cap > 65536 || e->n + more > max_rows))
        look_ahead(e);
    if (e->failed)
        return RUN_BYTES;
    /* At a limit, reclaiming must free a sixteenth of the rows, so that its cost stays linear in the rows made. */
    int many_dead = e->n - e->live > e->n / 16;
    if (e->n > 2 * e->live || (e->n + more > max_rows && many_dead)) {
        if (compact(e) < 0)
            return RUN_BYTES;
        many_dead = 0;
    }
    if (e->n + more > max_rows)
        return RUN_ROWS;
    if (e->n + more <= e->cap)
        return 0;
    int64_t cap = e->cap ? e->cap : 1024;
    while (cap < e->n + more)
        cap *= 2;
    if (cap > max_rows)
        cap = max_rows;
    if (cap * bytes_a_row(e) > max_bytes && many_dead) {
        if (compact(e) < 0)
            return RUN_BYTES;
        if (e->n + more <= e->cap)
            return 0;
    }
    if (cap * bytes_a_row(e) > max_bytes) {
        cap = max_bytes / bytes_a_row(e);
        if (cap < e->n + more)
            return RUN_BYTES;
    }
    if (table_resize(e, cap) < 0)
        return RUN_BYTES;
    if (bytes_held(e) > e->peak_bytes)
        e->peak_bytes = bytes_held(e);
    return 0;
}

static int drive(Engine *e, int64_t max_rows, int64_t max_bytes, double seconds)
{
    double end = now() + seconds;
    int64_t since = 0;
    if (max_rows > 2147483646)
        max_rows = 2147483646;
    if (e->deduce) {
        if (e->kind == GROUPOID)
            g_deductions(e);
        else
            m_deductions(e);
    }
    while (e->pos < e->n) {
        i32 x = (i32)e->pos;
        if (e->par[x] != x) {
            e->pos++;
            continue;
        }
        int64_t before = e->n;
        if (e->n + e->need > e->cap || e->n + e->need > max_rows) {
            int r = room(e, e->need, max_rows, max_bytes);
            if (r)
                return r;
            if (e->pos >= e->n)
                break;
            x = (i32)e->pos;
            before = e->n;
            if (e->par[x] != x)
                continue;
        }
        if (e->kind == GROUPOID)
            g_step(e, x);
        else
            m_step(e, x);
        if (e->failed)
            return RUN_BYTES;
        e->pos++;
        since += 16 + (e->n - before);
        if (since > 4096) {
            since = 0;
            if (now() > end)
                return e->pos < e->n ? RUN_PAUSED : RUN_COMPLETE;
        }
    }
    return RUN_COMPLETE;
}

/* ---------------------------------------------------------------- Python: the Engine type */
static i32 *copy_ints(Py_buffer *b, int64_t *count)
{
    int64_t n = b->len / (int64_t)sizeof(i32);
    i32 *p = (i32 *)malloc((size_t)(n ? n : 1) * sizeof(i32));
    if (!p) {
        PyErr_NoMemory();
        return NULL;
    }
    memcpy(p, b->buf, (size_t)n * sizeof(i32));
    *count = n;
    return p;
}

static void engine_free(Engine *e)
{
    free(e->src); free(e->dst); free(e->inv); free(e->col); free(e->letter_at); free(e->into);
    free(e->woff); free(e->wl); free(e->wcol); free(e->wback); free(e->eq_at); free(e->eq_list);
    free(e->rot_at); free(e->occ_at); free(e->occ_word); free(e->occ_pos);
    free(e->T); free(e->par); free(e->sort); free(e->head); free(e->next);
    free(e->merges.at); free(e->deductions.at); free(e->trail.at); free(e->unit);
}

static void engine_dealloc(PyObject *self)
{
    engine_free((Engine *)self);
    Py_TYPE(self)->tp_free(self);
}

static i32 *ints(int64_t n)
{
    return (i32 *)calloc((size_t)(n > 0 ? n : 1), sizeof(i32));
}

/* Engine(kind, fill, deduce, sorts, src, dst, inv, word offsets, word letters, relators, units' sorts)
   monoid: the words are the equations' sides, two by two; groupoid: first the relators, then the rotations by letter. */
static PyObject *engine_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)kwargs;
    int kind, fill, deduce, sorts, relators;
    Py_buffer src, dst, inv, off, let, unit;
    if (!PyArg_ParseTuple(args, "iiiiy*y*y*y*y*iy*", &kind, &fill, &deduce, &sorts, &src, &dst, &inv, &off, &let,
                          &relators, &unit))
        return NULL;
    Engine *e = (Engine *)type->tp_alloc(type, 0);
    int64_t n = 0, k;
    int ok = e != NULL;
    if (ok) {
        e->kind = kind;
        e->fill = fill;
        e->deduce = deduce;
        e->sorts = sorts;
        ok = (e->src = copy_ints(&src, &n)) && (e->dst = copy_ints(&dst, &k)) && (e->inv = copy_ints(&inv, &k));
        e->letters = (i32)n;
    }
    if (ok) {
        ok = (e->woff = copy_ints(&off, &k)) && (e->wl = copy_ints(&let, &n));
        e->words = (i32)(k - 1);
        e->relators = relators;
        e->equations = e->words / 2;
    }
    int64_t total = n;
    if (ok)
        ok = (e->unit = copy_ints(&unit, &e->units)) != NULL;
    PyBuffer_Release(&src); PyBuffer_Release(&dst); PyBuffer_Release(&inv);
    PyBuffer_Release(&off); PyBuffer_Release(&let); PyBuffer_Release(&unit);
    if (!ok) {
        Py_XDECREF((PyObject *)e);
        return NULL;
    }
    i32 S = e->sorts, L = e->letters;
    i32 *out = ints(S), *in = ints(S);
    ok = out && in && (e->col = ints(L)) && (e->into = ints(L)) && (e->wcol = ints(total)) && (e->wback = ints(total));
    if (ok) {
        for (i32 l = 0; l < L; l++) {
            e->col[l] = out[e->src[l]]++;
            e->into[l] = in[e->dst[l]]++;
        }
        for (i32 s = 0; s < S; s++) {
            if (out[s] > e->width)
                e->width = out[s];
            if (in[s] > e->inwidth)
                e->inwidth = in[s];
        }
        ok = (e->letter_at = ints((int64_t)S * e->width)) != NULL;
    }
    if (ok) {
        for (int64_t i = 0; i < (int64_t)S * e->width; i++)
            e->letter_at[i] = -1;
        for (i32 l = 0; l < L; l++)
            e->letter_at[(int64_t)e->src[l] * e->width + e->col[l]] = l;
        for (int64_t i = 0; i < total; i++) {
            e->wcol[i] = e->col[e->wl[i]];
            e->wback[i] = e->kind == GROUPOID ? e->col[e->inv[e->wl[i]]] : 0;
        }
        /* equations or relators by the sort where they start */
        i32 many = e->kind == GROUPOID ? e->relators : e->equations;
        ok = (e->eq_at = ints((int64_t)S + 1)) && (e->eq_list = ints(many)) && (e->rot_at = ints((int64_t)L + 1)) &&
             (e->occ_at = ints((int64_t)L + 1)) && (e->occ_word = ints(total)) && (e->occ_pos = ints(total));
        if (ok) {
            for (int pass = 0; pass < 2; pass++) {
                for (i32 q = 0; q < many; q++) {
                    i32 w = e->kind == GROUPOID ? q : 2 * q;
                    if (e->woff[w] == e->woff[w + 1])
                        w++; /* an empty side: the other one knows the sort */
                    i32 s = e->src[e->wl[e->woff[w]]];
                    if (pass)
                        e->eq_list[e->eq_at[s]++] = q;
                    else
                        e->eq_at[s + 1]++;
                }
                if (!pass)
                    for (i32 s = 0; s < S; s++)
                        e->eq_at[s + 1] += e->eq_at[s];
                else {
                    for (i32 s = S; s > 0; s--)
                        e->eq_at[s] = e->eq_at[s - 1];
                    e->eq_at[0] = 0;
                }
            }
            if (e->kind == GROUPOID) {
                for (i32 l = 0, w = e->relators; l <= L; l++) {
                    while (l && w < e->words && e->wl[e->woff[w]] < l)
                        w++;
                    e->rot_at[l] = w;
                }
            } else {
                /* A counting sort by letter; each letter's places stay in order of word and position. */
                for (int64_t i = 0; i < total; i++)
                    e->occ_at[e->wl[i] + 1]++;
                for (i32 l = 0; l < L; l++)
                    e->occ_at[l + 1] += e->occ_at[l];
                for (i32 w = e->words - 1; w >= 0; w--)
                    for (i32 i = e->woff[w + 1] - 1; i >= e->woff[w]; i--) {
                        i32 at = --e->occ_at[e->wl[i] + 1];
                        e->occ_word[at] = w;
                        e->occ_pos[at] = i - e->woff[w];
                    }
                for (i32 l = 0; l < L; l++)
                    e->occ_at[l] = e->occ_at[l + 1];
                e->occ_at[L] = (i32)total;
            }
            e->need = e->width + 1;
            if (e->fill)
                e->need += e->kind == GROUPOID ? e->woff[e->relators] : total;
            /* What the first step needs is asked for when it begins, against the budget. */
            ok = table_resize(e, e->units + 16) == 0;
        }
    }
    free(out);
    free(in);
    if (!ok) {
        Py_DECREF((PyObject *)e);
        return PyErr_NoMemory();
    }
    Py_BEGIN_ALLOW_THREADS
    for (int64_t u = 0; u < e->units; u++)
        e->unit[u] = make_row(e, e->unit[u]);
    e->defined = 0;
    e->peak_bytes = bytes_held(e);
    Py_END_ALLOW_THREADS
    return (PyObject *)e;
}

/* identify(from units, to units, letters, max_rows, max_bytes) -> 0, RUN_ROWS or RUN_BYTES
   The word leads from the first unit to the second, for every pair. */
static PyObject *engine_identify(PyObject *self, PyObject *args)
{
    Engine *e = (Engine *)self;
    Py_buffer a, b, w;
    long long max_rows, max_bytes;
    if (!PyArg_ParseTuple(args, "y*y*y*LL", &a, &b, &w, &max_rows, &max_bytes))
        return NULL;
    int result = 0;
    const i32 *from = (const i32 *)a.buf, *to = (const i32 *)b.buf, *word = (const i32 *)w.buf;
    int64_t many = a.len / 4, len = w.len / 4;
    Py_BEGIN_ALLOW_THREADS
    for (int64_t i = 0; i < many && !result && !e->failed; i++) {
        if (len && (e->n + len + 1 > e->cap || e->n + len + 1 > max_rows)) {
            result = room(e, len + 1, max_rows, max_bytes);
            if (result)
                break;
        }
        i32 x = find(e, e->unit[from[i]]), y = find(e, e->unit[to[i]]);
        for (int64_t k = 0; k + 1 < len; k++) {
            i32 l = word[k];
            i32 *cell = e->T + (int64_t)x * e->width + e->col[l];
            if (*cell >= 0)
                x = find(e, *cell);
            else if (e->kind == GROUPOID)
                x = g_define(e, x, l);
            else {
                i32 z = make_row(e, e->dst[l]);
                m_link(e, x, l, z);
                x = z;
            }
        }
        if (!len) {
            if (x != y) {
                if (e->kind == GROUPOID)
                    g_coincidence(e, x, y);
                else
                    m_coincidence(e, x, y);
            }
            continue;
        }
        i32 l = word[len - 1];
        i32 t = e->T[(int64_t)x * e->width + e->col[l]];
        if (e->kind == GROUPOID) {
            i32 back = e->T[(int64_t)y * e->width + e->col[e->inv[l]]];
            if (t >= 0) {
                if (t != y)
                    g_coincidence(e, t, y);
            } else if (back >= 0) {
                g_coincidence(e, back, x);
            } else {
                g_join(e, x, l, y);
            }
        } else if (t >= 0) {
            if (find(e, t) != y)
                m_coincidence(e, t, y);
        } else {
            m_link(e, x, l, y);
        }
    }
    if (e->failed)
        result = RUN_BYTES;
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&a);
    PyBuffer_Release(&b);
    PyBuffer_Release(&w);
    return PyLong_FromLong(result);
}

static PyObject *engine_run(PyObject *self, PyObject *args)
{
    Engine *e = (Engine *)self;
    long long max_rows, max_bytes;
    double seconds;
    if (!PyArg_ParseTuple(args, "LLd", &max_rows, &max_bytes, &seconds))
        return NULL;
    int r;
    Py_BEGIN_ALLOW_THREADS
    r = drive(e, max_rows, max_bytes, seconds);
    Py_END_ALLOW_THREADS
    return PyLong_FromLong(r);
}

/* counts() -> rows held, living, looked at, made, peak bytes */
static PyObject *engine_counts(PyObject *self, PyObject *args)
{
    (void)args;
    Engine *e = (Engine *)self;
    int64_t held = bytes_held(e);
    if (held > e->peak_bytes)
        e->peak_bytes = held;
    return Py_BuildValue("LLLLL", (long long)e->n, (long long)e->live, (long long)e->pos, (long long)e->defined,
                         (long long)e->peak_bytes);
}

/* compact() -> rows a sort, as a list; afterwards the table has no dead rows. */
static PyObject *engine_compact(PyObject *self, PyObject *args)
{
    (void)args;
    Engine *e = (Engine *)self;
    if (compact(e) < 0)
        return PyErr_NoMemory();
    int64_t *count = (int64_t *)calloc((size_t)(e->sorts ? e->sorts : 1), sizeof(int64_t));
    if (!count)
        return PyErr_NoMemory();
    for (int64_t x = 0; x < e->n; x++)
        count[e->sort[x]]++;
    PyObject *list = PyList_New(e->sorts);
    for (i32 s = 0; list && s < e->sorts; s++)
        PyList_SET_ITEM(list, s, PyLong_FromLongLong((long long)count[s]));
    free(count);
    return list;
}

/* export(columns, unit): after compact(); columns is a list of writable int32 buffers, one for each of the first
   len(columns) letters; numbers are counted within each sort, -1 where an entry is missing. */
static PyObject *engine_export(PyObject *self, PyObject *args)
{
    Engine *e = (Engine *)self;
    PyObject *columns;
    Py_buffer unit;
    if (!PyArg_ParseTuple(args, "O!w*", &PyList_Type, &columns, &unit))
        return NULL;
    Py_ssize_t many = PyList_GET_SIZE(columns);
    Py_buffer *buf = (Py_buffer *)calloc((size_t)(many ? many : 1), sizeof(Py_buffer));
    i32 *local = ints(e->n), *count = ints(e->sorts);
    int ok = buf && local && count;
    Py_ssize_t got = 0;
    while (ok && got < many && PyObject_GetBuffer(PyList_GET_ITEM(columns, got), buf + got, PyBUF_WRITABLE) == 0)
        got++;
    if (ok && got == many) {
        const i32 W = e->width;
        Py_BEGIN_ALLOW_THREADS
        for (int64_t x = 0; x < e->n; x++)
            local[x] = count[e->sort[x]]++;
        for (int64_t x = 0; x < e->n; x++) {
            const i32 *letter_at = e->letter_at + (int64_t)e->sort[x] * W;
            for (i32 c = 0; c < W; c++) {
                i32 l = letter_at[c];
                if (l < 0 || l >= many)
                    continue;
                i32 t = e->T[x * W + c];
                ((i32 *)buf[l].buf)[local[x]] = t < 0 ? -1 : local[t];
            }
        }
        for (int64_t u = 0; u < e->units; u++)
            ((i32 *)unit.buf)[u] = local[e->unit[u]];
        Py_END_ALLOW_THREADS
    } else if (ok)
        ok = 0;
    else
        PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < got; i++)
        PyBuffer_Release(buf + i);
    free(buf);
    free(local);
    free(count);
    PyBuffer_Release(&unit);
    if (!ok)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef engine_methods[] = {
    {"identify", engine_identify, METH_VARARGS, "identify(from, to, word, max_rows, max_bytes)"},
    {"run", engine_run, METH_VARARGS, "run(max_rows, max_bytes, seconds): 0 complete, 1 paused, 2 rows, 3 bytes"},
    {"counts", engine_counts, METH_NOARGS, "counts(): held, living, looked at, made, peak bytes"},
    {"compact", engine_compact, METH_NOARGS, "compact(): rows a sort"},
    {"export", engine_export, METH_VARARGS, "export(columns, unit)"},
    {NULL, NULL, 0, NULL}};

static PyTypeObject EngineType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "presheaf.finite.columns._kernel.Engine",
    .tp_basicsize = sizeof(Engine),
    .tp_dealloc = engine_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "State of one completion.",
    .tp_methods = engine_methods,
    .tp_new = engine_new,
};

/* ---------------------------------------------------------------- union-find over edges */
static inline i32 root(i32 *par, i32 x)
{
    while (par[x] != x) {
        par[x] = par[par[x]];
        x = par[x];
    }
    return x;
}

/* unite(parent, a, b): parent[x] <= x is a forest; join a[i] with b[i] for all i, the smaller root wins. */
static PyObject *kernel_unite(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer p, a, b;
    if (!PyArg_ParseTuple(args, "w*y*y*", &p, &a, &b))
        return NULL;
    i32 *par = (i32 *)p.buf;
    const i32 *u = (const i32 *)a.buf, *v = (const i32 *)b.buf;
    int64_t n = a.len / 4;
    Py_BEGIN_ALLOW_THREADS
    for (int64_t i = 0; i < n; i++) {
        i32 x = root(par, u[i]), y = root(par, v[i]);
        if (x < y)
            par[y] = x;
        else if (y < x)
            par[x] = y;
    }
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&p);
    PyBuffer_Release(&a);
    PyBuffer_Release(&b);
    Py_RETURN_NONE;
}

/* label(parent, first) -> number of classes; parent becomes the class of each node, numbered in order of their
   smallest node, and first[k] is that node. */
static PyObject *kernel_label(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer p, f;
    if (!PyArg_ParseTuple(args, "w*w*", &p, &f))
        return NULL;
    i32 *par = (i32 *)p.buf, *first = (i32 *)f.buf;
    int64_t n = p.len / 4;
    i32 k = 0;
    Py_BEGIN_ALLOW_THREADS
    for (int64_t x = 0; x < n; x++) {
        if (par[x] == x) {
            first[k] = (i32)x;
            par[x] = k++;
        } else {
            par[x] = par[par[x]]; /* the parent is smaller, so it is a class by now */
        }
    }
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&p);
    PyBuffer_Release(&f);
    return PyLong_FromLong(k);
}

/* bfs(sizes, src, dst, columns, units' objects, units, order, parent, letter) -> number of rows reached
   Rows are numbered 0.. over all objects, object after object.  order: rows in the order they are met from the units,
   generators in their order; parent, letter: how each row was met first (a unit's number and -1 for a unit). */
static PyObject *kernel_bfs(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer sizes, src, dst, uobj, unit, order, parent, letter;
    PyObject *columns;
    if (!PyArg_ParseTuple(args, "y*y*y*O!y*y*w*w*w*", &sizes, &src, &dst, &PyList_Type, &columns, &uobj, &unit, &order,
                          &parent, &letter))
        return NULL;
    i32 S = (i32)(sizes.len / 8), L = (i32)(src.len / 4);
    Py_buffer *buf = (Py_buffer *)calloc((size_t)(L ? L : 1), sizeof(Py_buffer));
    int64_t *base = (int64_t *)calloc((size_t)S + 1, sizeof(int64_t));
    i32 *at = ints((int64_t)S + 1), *gens = ints(L);
    int64_t reached = 0;
    Py_ssize_t got = 0;
    int ok = buf && base && at && gens;
    if (!ok)
        PyErr_NoMemory();
    while (ok && got < L)
        if (PyObject_GetBuffer(PyList_GET_ITEM(columns, got), buf + got, PyBUF_SIMPLE) == 0)
            got++;
        else
            ok = 0;
    if (ok) {
        const i32 *gs = (const i32 *)src.buf, *gd = (const i32 *)dst.buf;
        const int64_t *sz = (const int64_t *)sizes.buf;
        i32 *ord = (i32 *)order.buf, *par = (i32 *)parent.buf, *let = (i32 *)letter.buf;
        Py_BEGIN_ALLOW_THREADS
        for (i32 s = 0; s < S; s++)
            base[s + 1] = base[s] + sz[s];
        for (i32 l = 0; l < L; l++)
            at[gs[l] + 1]++;
        for (i32 s = 0; s < S; s++)
            at[s + 1] += at[s];
        for (i32 l = L - 1; l >= 0; l--)
            gens[--at[gs[l] + 1]] = l;
        for (i32 s = 0; s < S; s++)
            at[s] = at[s + 1];
        at[S] = L;
        for (int64_t x = 0; x < base[S]; x++)
            par[x] = -2;
        int64_t units = unit.len / 4;
        for (int64_t u = 0; u < units; u++) {
            int64_t x = base[((const i32 *)uobj.buf)[u]] + ((const i32 *)unit.buf)[u];
            if (par[x] == -2) {
                par[x] = (i32)u;
                let[x] = -1;
                ord[reached++] = (i32)x;
            }
        }
        i32 s = 0;
        for (int64_t q = 0; q < reached; q++) {
            int64_t x = ord[q];
            while (x < base[s])
                s--;
            while (x >= base[s + 1])
                s++;
            for (i32 k = at[s]; k < at[s + 1]; k++) {
                i32 l = gens[k];
                int64_t y = base[gd[l]] + ((const i32 *)buf[l].buf)[x - base[s]];
                if (par[y] == -2) {
                    par[y] = (i32)x;
                    let[y] = l;
                    ord[reached++] = (i32)y;
                }
            }
        }
        Py_END_ALLOW_THREADS
    }
    for (Py_ssize_t i = 0; i < got; i++)
        PyBuffer_Release(buf + i);
    free(buf);
    free(base);
    free(at);
    free(gens);
    PyBuffer_Release(&sizes); PyBuffer_Release(&src); PyBuffer_Release(&dst); PyBuffer_Release(&uobj);
    PyBuffer_Release(&unit); PyBuffer_Release(&order); PyBuffer_Release(&parent); PyBuffer_Release(&letter);
    if (!ok)
        return NULL;
    return PyLong_FromLongLong((long long)reached);
}

/* bucket(keys, first, order, rank): counting sort of row positions by key; first has one entry more than there are keys. */
static PyObject *kernel_bucket(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer k, f, o, r;
    if (!PyArg_ParseTuple(args, "y*w*w*w*", &k, &f, &o, &r))
        return NULL;
    const i32 *key = (const i32 *)k.buf;
    int64_t *first = (int64_t *)f.buf;
    i32 *order = (i32 *)o.buf, *rank = (i32 *)r.buf;
    int64_t rows = k.len / 4, bound = f.len / 8 - 1;
    Py_BEGIN_ALLOW_THREADS
    memset(first, 0, (size_t)(bound + 1) * sizeof(int64_t));
    for (int64_t i = 0; i < rows; i++)
        rank[i] = (i32)first[key[i] + 1]++;
    for (int64_t x = 0; x < bound; x++)
        first[x + 1] += first[x];
    for (int64_t i = 0; i < rows; i++)
        order[first[key[i]] + rank[i]] = (i32)i;
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&k);
    PyBuffer_Release(&f);
    PyBuffer_Release(&o);
    PyBuffer_Release(&r);
    Py_RETURN_NONE;
}

/* offsets(keys, first, offsets): where the rows of keys[i]'s bucket go when all are listed; offsets has one entry more. */
static PyObject *kernel_offsets(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer k, f, o;
    if (!PyArg_ParseTuple(args, "y*y*w*", &k, &f, &o))
        return NULL;
    const i32 *key = (const i32 *)k.buf;
    const int64_t *first = (const int64_t *)f.buf;
    int64_t *offset = (int64_t *)o.buf, rows = k.len / 4;
    Py_BEGIN_ALLOW_THREADS
    offset[0] = 0;
    for (int64_t i = 0; i < rows; i++)
        offset[i + 1] = offset[i] + first[key[i] + 1] - first[key[i]];
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&k);
    PyBuffer_Release(&f);
    PyBuffer_Release(&o);
    Py_RETURN_NONE;
}

/* expand(keys, offsets, first, order, left, right): for left row i and place j of its key's bucket, left[p] = i and
   right[p] = order[j], p running from offsets[i]. */
static PyObject *kernel_expand(PyObject *self, PyObject *args)
{
    (void)self;
    Py_buffer k, p, f, o, l, r;
    if (!PyArg_ParseTuple(args, "y*y*y*y*w*w*", &k, &p, &f, &o, &l, &r))
        return NULL;
    const i32 *key = (const i32 *)k.buf, *order = (const i32 *)o.buf;
    const int64_t *offset = (const int64_t *)p.buf, *first = (const int64_t *)f.buf;
    i32 *left = (i32 *)l.buf, *right = (i32 *)r.buf;
    int64_t rows = k.len / 4;
    Py_BEGIN_ALLOW_THREADS
    for (int64_t i = 0; i < rows; i++) {
        const i32 *from = order + first[key[i]];
        int64_t at = offset[i], many = offset[i + 1] - at;
        for (int64_t j = 0; j < many; j++) {
            left[at + j] = (i32)i;
            right[at + j] = from[j];
        }
    }
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&k);
    PyBuffer_Release(&p);
    PyBuffer_Release(&f);
    PyBuffer_Release(&o);
    PyBuffer_Release(&l);
    PyBuffer_Release(&r);
    Py_RETURN_NONE;
}

static PyMethodDef kernel_methods[] = {
    {"unite", kernel_unite, METH_VARARGS, "unite(parent, a, b)"},
    {"label", kernel_label, METH_VARARGS, "label(parent, first) -> number of classes"},
    {"bfs", kernel_bfs, METH_VARARGS, "bfs(sizes, src, dst, columns, unit objects, units, order, parent, letter)"},
    {"bucket", kernel_bucket, METH_VARARGS, "bucket(keys, first, order, rank)"},
    {"offsets", kernel_offsets, METH_VARARGS, "offsets(keys, first, offsets)"},
    {"expand", kernel_expand, METH_VARARGS, "expand(keys, offsets, first, order, left, right)"},
    {NULL, NULL, 0, NULL}};

static struct PyModuleDef kernel_module = {
    PyModuleDef_HEAD_INIT, "_kernel", "The compiled kernel of presheaf.finite.", -1, kernel_methods, NULL, NULL, NULL,
    NULL};

PyMODINIT_FUNC PyInit__kernel(void)
{
    if (PyType_Ready(&EngineType) < 0)
        return NULL;
    PyObject *m = PyModule_Create(&kernel_module);
    if (!m)
        return NULL;
    Py_INCREF(&EngineType);
    if (PyModule_AddObject(m, "Engine", (PyObject *)&EngineType) < 0) {
        Py_DECREF(&EngineType);
        Py_DECREF(m);
        return NULL;
    }
    return m;
}
