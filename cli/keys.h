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
 * The public key that `spec` names: a `.pub` file, a key file that has its .pub beside it, or a
 * private key (file or token) that must be opened for it.
 */
int mue_cli_public(const struct mue_cli *cli, const char *spec, struct mue_pubkey *ret,
		   struct mue_error *e);

#endif
