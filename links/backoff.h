/*
 * backoff.h - when to try again: exponential pauses with jitter, a server's word above all, an end.
 */
#ifndef MUE_LINKS_BACKOFF_H
#define MUE_LINKS_BACKOFF_H

#include <stdint.h>

struct mue_backoff {
	uint32_t first_s;   /* the first pause; 0: none */
	uint32_t most_s;    /* no pause grows beyond it */
	uint32_t fruitless; /* attempts in a row that brought nothing */
	uint32_t attempts;  /* attempts at all */
};

void mue_backoff_init(struct mue_backoff *b, uint32_t first_s, uint32_t most_s);

/*
 * An attempt failed; `fruitful`: it brought something new, the pauses begin anew.  Returns the
 * milliseconds to wait: first_s doubled by each fruitless attempt up to most_s, of which the upper
 * half is random (`random` is any 32 bits); at least `retry_after_s`, plus up to a tenth of it,
 * so that a fleet that was sent away does not come back at one instant.
 */
uint64_t mue_backoff_next(struct mue_backoff *b, int fruitful, uint32_t retry_after_s,
			  uint32_t random);

/* 32 bits that differ from device to device and from call to call. */
uint32_t mue_backoff_random(void);

/* `s` seconds with jitter, in ms: never earlier, at most a tenth later. */
uint64_t mue_backoff_jitter(uint32_t s, uint32_t random);

#endif
