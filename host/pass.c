/* Passphrases: from a file, the environment, or the terminal without echo. */
#include "core/err.h"
#include "host/file.h"
#include "host/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define CTRL_C 3

void mue_pass_wipe(char pass[MUE_PASS_MAX])
{
	explicit_bzero(pass, MUE_PASS_MAX);
}

static int from_file(const char *file, char ret[MUE_PASS_MAX], struct mue_error *e)
{
	struct mue_buf b = { .max = 4096 };
	int r = mue_file_read(file, &b, e);
	size_t len;

	if (r == 0) {
		len = strcspn(mue_buf_str(&b), "\r\n");
		if (len == 0 || len >= MUE_PASS_MAX)
			r = mue_fail(e, MUE_EINVAL,
				     "%s: the first line is no passphrase of 1 to %d bytes", file,
				     MUE_PASS_MAX - 1);
		else
			snprintf(ret, MUE_PASS_MAX, "%.*s", (int)len, mue_buf_str(&b));
	}
	mue_buf_free(&b);
	return r;
}

static int from_variable(const char *value, char ret[MUE_PASS_MAX], struct mue_error *e)
{
	size_t len = strlen(value);

	if (len == 0 || len >= MUE_PASS_MAX)
		return mue_fail(e, MUE_EINVAL, "MUE_PASSPHRASE is not 1 to %d bytes long",
				MUE_PASS_MAX - 1);
	memcpy(ret, value, len + 1);
	return MUE_OK;
}

/* One line from the terminal; the echo is off meanwhile. */
static int ask(int tty, const char *prompt, char ret[MUE_PASS_MAX], struct mue_error *e)
{
	struct termios old, quiet;
	ssize_t n;

	if (tcgetattr(tty, &old) < 0)
		return mue_fail_errno(e, "terminal");
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	quiet.c_lflag |= ECHONL;
	quiet.c_cc[VEOL] = CTRL_C; /* ends the read at once, with the echo still to be restored */
	mue_fd_write(tty, prompt, strlen(prompt), NULL);
	if (tcsetattr(tty, TCSAFLUSH, &quiet) < 0)
		return mue_fail_errno(e, "terminal");
	n = TEMP_FAILURE_RETRY(read(tty, ret, MUE_PASS_MAX));
	tcsetattr(tty, TCSAFLUSH, &old);
	if (n > 0 && ret[n - 1] == CTRL_C)
		return mue_fail(e, MUE_ECANCELLED, "cancelled");
	if (n > 0 && ret[n - 1] == '\n')
		n--;
	if (n <= 0 || n >= MUE_PASS_MAX) {
		mue_pass_wipe(ret);
		return mue_fail(e, MUE_EINVAL, "no passphrase of 1 to %d bytes was typed",
				MUE_PASS_MAX - 1);
	}
	ret[n] = 0;
	return MUE_OK;
}

int mue_pass_terminal(const char *prompt, int confirm, char ret[MUE_PASS_MAX], struct mue_error *e)
{
	__attribute__((cleanup(mue_fd_close))) int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	char again[MUE_PASS_MAX];
	int r;

	if (tty < 0)
		return mue_fail(
			e, MUE_EPERM,
			"no passphrase: give --passphrase-file, set MUE_PASSPHRASE, or use a "
			"terminal");
	r = ask(tty, prompt, ret, e);
	if (r < 0 || !confirm)
		return r;
	r = ask(tty, "Once more: ", again, e);
	if (r == 0 && strcmp(ret, again) != 0)
		r = mue_fail(e, MUE_EINVAL, "the two passphrases differ");
	mue_pass_wipe(again);
	if (r < 0)
		mue_pass_wipe(ret);
	return r;
}

int mue_pass_get(const char *file, const char *prompt, int confirm, char ret[MUE_PASS_MAX],
		 struct mue_error *e)
{
	const char *variable = getenv("MUE_PASSPHRASE");

	if (file)
		return from_file(file, ret, e);
	if (variable)
		return from_variable(variable, ret, e);
	return mue_pass_terminal(prompt, confirm, ret, e);
}
