/* UUIDs of vendors and classes: RFC 9562, section 5.5; the SUIT manifest draft, section 8.4.8.2. */
#include "host/hash.h"
#include "host/release.h"

#include <stdio.h>
#include <string.h>

int mue_uuid5(const uint8_t space[16], const char *name, uint8_t ret[16], struct mue_error *e)
{
	uint8_t digest[MUE_HASH_MAX];
	struct mue_hash h;

	if (!*name)
		return mue_fail(e, MUE_EINVAL, "a vendor or class needs a name");
	if (mue_hash_init(&h, MUE_HASH_SHA1) < 0)
		return mue_fail(e, MUE_ENOMEM, "no memory for a digest");
	mue_hash_update(&h, space, 16);
	mue_hash_update(&h, name, strlen(name));
	mue_hash_final(&h, digest);
	memcpy(ret, digest, 16);
	ret[6] = (uint8_t)((ret[6] & 0x0f) | 0x50); /* version 5 */
	ret[8] = (uint8_t)((ret[8] & 0x3f) | 0x80); /* variant of RFC 9562 */
	return 0;
}

int mue_release_vendor_id(const char *domain, uint8_t ret[16], struct mue_error *e)
{
	/* RFC 9562, section 6.6: the name space of domain names. */
	static const uint8_t dns[16] = { 0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1,
					 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8 };

	return mue_uuid5(dns, domain, ret, e);
}

int mue_release_class_id(const uint8_t vendor[16], const char *name, uint8_t ret[16],
			 struct mue_error *e)
{
	return mue_uuid5(vendor, name, ret, e);
}

/* Dashes stand before these bytes. */
static bool dash_before(size_t byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void mue_uuid_text(const uint8_t id[16], char ret[37])
{
	for (size_t i = 0; i < 16; i++) {
		if (dash_before(i))
			*ret++ = '-';
		mue_hex(id + i, 1, ret);
		ret += 2;
	}
}

int mue_uuid_parse(const char *text, uint8_t ret[16])
{
	uint8_t id[16];
	char digits[3];

	if (strlen(text) != 36)
		return MUE_EFORMAT;
	for (size_t i = 0; i < 16; i++) {
		if (dash_before(i) && *text++ != '-')
			return MUE_EFORMAT;
		memcpy(digits, text, 2);
		digits[2] = 0;
		if (!mue_unhex(digits, &id[i], 1))
			return MUE_EFORMAT;
		text += 2;
	}
	memcpy(ret, id, 16);
	return 0;
}
