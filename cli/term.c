#include "cli/term.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

char *mue_term_size(uint64_t bytes, char ret[16])
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
	uint64_t whole = bytes, tenths = 0;
	size_t u = 0;

	if (bytes < 1000) {
		snprintf(ret, 16, "%" PRIu64 " B", bytes);
		return ret;
	}
	for (;; u++) {
		tenths = whole % 1000 / 100;
		whole /= 1000;
		if (whole < 1000)
			break;
	}
	snprintf(ret, 16, "%u.%u %s", (unsigned)whole, (unsigned)tenths, units[u]);
	return ret;
}

char *mue_term_bar(uint64_t part, uint64_t whole, int width, char ret[64])
{
	int full = 0;

	if (width > 60)
		width = 60;
	if (part > whole)
		part = whole;
	if (whole > 0)
		full = (int)((double)part / (double)whole * width + 0.5);
	/* Neither done nor untouched is shown as such before it is. */
	if (full == width && part < whole)
		full--;
	if (full == 0 && part > 0)
		full = 1;
	for (int i = 0; i < width; i++)
		ret[i] = i < full ? '#' : '-';
	ret[width] = 0;
	return ret;
}

char *mue_term_ago(int64_t then_ms, char ret[24])
{
	static const struct {
		int64_t seconds, unit;
		const char *name;
	} steps[] = { { 120, 1, "s" },
		      { 7200, 60, "min" },
		      { 172800, 3600, "h" },
		      { INT64_MAX, 86400, "days" } };
	int64_t s = (int64_t)time(NULL) - then_ms / 1000;

	if (then_ms <= 0) {
		snprintf(ret, 24, "never");
		return ret;
	}
	if (s < 0)
		s = 0;
	for (size_t i = 0;; i++) {
		if (s >= steps[i].seconds)
			continue;
		snprintf(ret, 24, "%d %s ago", (int)(s / steps[i].unit), steps[i].name);
		return ret;
	}
}

char *mue_term_safe(const char *s, char *ret, size_t ret_size)
{
	size_t i = 0;

	for (; s && s[i] && i + 1 < ret_size; i++) {
		unsigned char c = (unsigned char)s[i];

		ret[i] = (char)(c < 0x20 || c == 0x7f ? '?' : c);
	}
	ret[i] = 0;
	return ret;
}

void mue_progress_begin(struct mue_progress *p, const struct mue_cli *cli, uint64_t total,
			const char *fmt, ...)
{
	va_list ap;

	p->f = cli->out;
	p->tty = cli->tty;
	p->total = total;
	p->drawn_ms = 0;
	va_start(ap, fmt);
	vsnprintf(p->what, sizeof(p->what), fmt, ap);
	va_end(ap);
}

void mue_progress_update(struct mue_progress *p, uint64_t done)
{
	int64_t now = now_ms();
	char bar[64], a[16], b[16];

	if (!p->tty || now - p->drawn_ms < 100)
		return;
	p->drawn_ms = now;
	if (p->total == 0) {
		fprintf(p->f, "\r\033[K%s  %s", p->what, mue_term_size(done, a));
	} else {
		fprintf(p->f, "\r\033[K%s  [%s]  %s of %s", p->what,
			mue_term_bar(done, p->total, 30, bar), mue_term_size(done, a),
			mue_term_size(p->total, b));
	}
	fflush(p->f);
}

void mue_progress_drop(struct mue_progress *p)
{
	if (p->tty && p->drawn_ms) {
		fputs("\r\033[K", p->f);
		fflush(p->f);
	}
	p->drawn_ms = 0;
}

void mue_progress_end(struct mue_progress *p, const char *fmt, ...)
{
	va_list ap;

	mue_progress_drop(p);
	va_start(ap, fmt);
	vfprintf(p->f, fmt, ap);
	va_end(ap);
	fputc('\n', p->f);
	fflush(p->f);
}
