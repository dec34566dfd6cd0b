/*
 * keys.h - how the commands name and open keys.
 */
#ifndef MUE_CLI_KEYS_H
#define MUE_CLI_KEYS_H

#include "cli/cmd.h"
#include "host/key.h"

bool mue_is_token(const char *spec); /* a pkcs11: URI */

/* A short name for the key: its file's without folder and .pub, or "token".  Returns ret. */
char *mue_key_label(const char *spec, char *ret, size_t ret_size);

/*
 * mue_key_open with --passphrase-file, and a token's pin-source (RFC 7512) taken as a path or a
 * file: URI whose first line is the PIN: GnuTLS 3.7 takes the one without a line's end only.
 */
int mue_cli_open(struct mue_cli *cli, const char *spec, struct mue_key **ret, struct mue_error *e);

/*
 * The public key that `spec` names: a `.pub` file, a key file that has its .pub beside it, or a
 * private key (file or token) that must be opened for it.
 */
int mue_cli_public(struct mue_cli *cli, const char *spec, struct mue_pubkey *ret,
		   struct mue_error *e);

#endif
