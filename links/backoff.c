#include "links/backoff.h"

#include <sys/random.h>
#include <time.h>

void mue_backoff_init(struct mue_backoff *b, uint32_t first_s, uint32_t most_s)
{
	b->first_s = first_s;
	b->most_s = most_s;
	b->fruitless = b->attempts = 0;
}

uint64_t mue_backoff_jitter(uint32_t s, uint32_t random)
{
	uint64_t ms = (uint64_t)s * 1000;

	return ms + ms / 10 * (random >> 16) / 65535;
}

uint64_t mue_backoff_next(struct mue_backoff *b, int fruitful, uint32_t retry_after_s,
			  uint32_t random)
{
	uint64_t pause = b->first_s, least = mue_backoff_jitter(retry_after_s, random);

	b->attempts++;
	b->fruitless = fruitful ? 0 : b->fruitless + 1;
	for (uint32_t i = 1; i < b->fruitless && pause < b->most_s; i++)
		pause *= 2;
	if (pause > b->most_s)
		pause = b->most_s;
	pause *= 1000;
	pause = pause / 2 + pause / 2 * (random >> 16) / 65535;
	return pause > least ? pause : least;
}

uint32_t mue_backoff_random(void)
{
	struct timespec t;
	uint32_t r;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) == (long)sizeof(r))
		return r;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint32_t)t.tv_nsec * 2654435761u;
}
