/*
 * mem.h - the four memory functions that core may use; freestanding compilers have no string.h.
 */
#ifndef MUE_CORE_MEM_H
#define MUE_CORE_MEM_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);

#endif
