/*
 * arena.h - memory that lives as long as one request: bump allocation from blocks, freed at once.
 *
 * Has a ceiling: past it allocation gives NULL and the request is answered with 503.
 */
#ifndef MUE_SERVER_HTTP_ARENA_H
#define MUE_SERVER_HTTP_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct mue_arena_block;

struct mue_arena {
	struct mue_arena_block *blocks;
	size_t used; /* bytes handed out */
	size_t max;
};

/* No allocation yet.  `max` bytes may be handed out in total. */
void mue_arena_init(struct mue_arena *a, size_t max);
/* Frees everything; the arena may be used again. */
void mue_arena_reset(struct mue_arena *a);

/* Zeroed, aligned for anything.  NULL when the ceiling or the memory is reached. */
void *mue_arena_alloc(struct mue_arena *a, size_t size);
/* A copy of len bytes with a NUL after them.  NULL as above. */
char *mue_arena_copy(struct mue_arena *a, const char *data, size_t len);
/* A copy of a string; NULL for NULL. */
char *mue_arena_str(struct mue_arena *a, const char *s);
/* A formatted string.  NULL as above. */
char *mue_arena_printf(struct mue_arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
