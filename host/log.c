#include "host/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const level_names[] = { "debug", "info", "warn", "error" };

static enum mue_log_level threshold(void)
{
	const char *v = getenv("MUE_LOG");

	for (unsigned i = 0; v && i < sizeof(level_names) / sizeof(level_names[0]); i++)
		if (strcmp(v, level_names[i]) == 0)
			return (enum mue_log_level)i;
	return MUE_LOG_INFO;
}

const char *mue_log_num(struct mue_log_num *buf, int64_t n)
{
	snprintf(buf->text, sizeof(buf->text), "%" PRId64, n);
	return buf->text;
}

static bool plain(const char *value)
{
	if (!*value)
		return false;
	for (const char *p = value; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c <= ' ' || c == 0x7f || c == '"' || c == '\\' || c == '=')
			return false;
	}
	return true;
}

static int add_escaped(struct mue_buf *b, unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		return mue_buf_printf(b, "\\%c", c);
	case '\n':
		return mue_buf_add_str(b, "\\n");
	default:
		if (c < ' ' || c == 0x7f)
			return mue_buf_printf(b, "\\x%02x", c);
		return mue_buf_add(b, &c, 1);
	}
}

int mue_log_value(struct mue_buf *b, const char *value)
{
	int r;

	if (!value)
		value = "-";
	if (plain(value))
		return mue_buf_add_str(b, value);
	r = mue_buf_add_str(b, "\"");
	for (const char *p = value; *p && r == 0; p++)
		r = add_escaped(b, (unsigned char)*p);
	return r < 0 ? r : mue_buf_add_str(b, "\"");
}

void mue_log(enum mue_log_level level, const char *event, ...)
{
	struct mue_buf b = { .max = MUE_LOG_LINE - 5 }; /* leaves room for " ...\n" */
	const char *key;
	va_list ap;
	int r;

	if (level < threshold())
		return;
	r = mue_buf_printf(&b, "%s %s", level_names[level], event);
	va_start(ap, event);
	while (r == 0 && (key = va_arg(ap, const char *)) != NULL) {
		const char *value = va_arg(ap, const char *);

		r = mue_buf_printf(&b, " %s=", key);
		if (r == 0)
			r = mue_log_value(&b, value);
	}
	va_end(ap);
	b.max = MUE_LOG_LINE;
	mue_buf_add_str(&b, r < 0 ? " ...\n" : "\n");
	/* Nobody is left to be told when stderr is gone. */
	if (b.len > 0 && write(STDERR_FILENO, b.data, b.len) < 0)
		r = -1;
	mue_buf_free(&b);
}
