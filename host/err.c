#include "host/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int code;
	const char *name, *text;
} verdicts[] = {
#define X(name, number, text) { name, #name, text },
	MUE_ERR_LIST(X)
#undef X
};

const char *mue_err_name(int code)
{
	if (code >= 0)
		return "MUE_OK";
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		if (verdicts[i].code == code)
			return verdicts[i].name;
	return "MUE_E?";
}

const char *mue_err_text(int code)
{
	if (code >= 0)
		return "ok";
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		if (verdicts[i].code == code)
			return verdicts[i].text;
	return "unknown verdict";
}

int mue_fail(struct mue_error *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return code;
	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return code;
}

static int code_of_errno(int err)
{
	switch (err) {
	case ENOSPC:
	case EDQUOT:
		return MUE_ENOSPC;
	case EACCES:
	case EPERM:
		return MUE_EPERM;
	case ENOENT:
		return MUE_ENOTFOUND;
	case EEXIST:
		return MUE_EEXIST;
	case ENOMEM:
		return MUE_ENOMEM;
	default:
		return MUE_EIO;
	}
}

int mue_fail_errno(struct mue_error *e, const char *fmt, ...)
{
	int err = errno, n;
	va_list ap;

	if (!e)
		return code_of_errno(err);
	e->code = code_of_errno(err);
	va_start(ap, fmt);
	n = vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(e->text))
		snprintf(e->text + n, sizeof(e->text) - (size_t)n, ": %s", strerror(err));
	return e->code;
}

int mue_prefix(struct mue_error *e, const char *fmt, ...)
{
	char old[sizeof(e->text)];
	va_list ap;
	int n;

	if (!e)
		return MUE_OK;
	memcpy(old, e->text, sizeof(old));
	va_start(ap, fmt);
	n = vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(e->text))
		snprintf(e->text + n, sizeof(e->text) - (size_t)n, ": %.*s",
			 (int)(sizeof(e->text) - (size_t)n), old);
	return e->code;
}
