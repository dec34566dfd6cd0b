#include "server/http/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 8 * 1024, ALIGN = 16 };

struct mue_arena_block {
	struct mue_arena_block *next;
	size_t size, used;
	_Alignas(ALIGN) unsigned char data[];
};

void mue_arena_init(struct mue_arena *a, size_t max)
{
	a->blocks = NULL;
	a->used = 0;
	a->max = max;
}

void mue_arena_reset(struct mue_arena *a)
{
	while (a->blocks) {
		struct mue_arena_block *next = a->blocks->next;

		free(a->blocks);
		a->blocks = next;
	}
	a->used = 0;
}

static struct mue_arena_block *grow(struct mue_arena *a, size_t need)
{
	size_t size = need > BLOCK / 2 ? need : (size_t)BLOCK - sizeof(struct mue_arena_block);
	struct mue_arena_block *b = malloc(sizeof *b + size);

	if (!b)
		return NULL;
	b->size = size;
	b->used = 0;
	/* A large allocation has a block of its own and leaves the open block in front. */
	if (need > BLOCK / 2 && a->blocks) {
		b->next = a->blocks->next;
		a->blocks->next = b;
	} else {
		b->next = a->blocks;
		a->blocks = b;
	}
	return b;
}

void *mue_arena_alloc(struct mue_arena *a, size_t size)
{
	struct mue_arena_block *b = a->blocks;
	size_t need = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	void *p;

	if (need < size || need > a->max - a->used)
		return NULL;
	if (!b || b->size - b->used < need)
		b = grow(a, need);
	if (!b)
		return NULL;
	p = b->data + b->used;
	b->used += need;
	a->used += need;
	return memset(p, 0, need);
}

char *mue_arena_copy(struct mue_arena *a, const char *data, size_t len)
{
	char *p = len < SIZE_MAX ? mue_arena_alloc(a, len + 1) : NULL;

	if (p && len)
		memcpy(p, data, len);
	return p;
}

char *mue_arena_str(struct mue_arena *a, const char *s)
{
	return s ? mue_arena_copy(a, s, strlen(s)) : NULL;
}

char *mue_arena_printf(struct mue_arena *a, const char *fmt, ...)
{
	va_list args;
	char *p;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0)
		return NULL;
	p = mue_arena_alloc(a, (size_t)n + 1);
	if (!p)
		return NULL;
	va_start(args, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, args);
	va_end(args);
	return p;
}
