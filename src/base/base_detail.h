/* Words for people about one failure: what was wrong, where, and what would be right.
 *
 * Filled in on cold paths only (start, recovery, configuration), and wrapped with context on the way up, so that the
 * floor that decides to print has a whole sentence: "data/MANIFEST: line 3: file 12 is missing". Every function that
 * takes a detail takes NULL as well. */
#ifndef RK_BASE_DETAIL_H
#define RK_BASE_DETAIL_H

#define RK_DETAIL_BYTES 768

struct rk_detail {
    char text[RK_DETAIL_BYTES];
};

/* Replaces the text; too long a text is cut. */
void rk_detail_set(struct rk_detail *detail, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "<context>: " before the text that is there. */
void rk_detail_wrap(struct rk_detail *detail, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
