#!/bin/sh
# codespell over code and text.  Words of the trade stand in the list below.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck disable=SC2046
codespell --ignore-words-list 'ot,te,nd,hist,fo,ser,unx,inout,crate,ba,som,numer,mut,mue,esp,parm,lod,froms,nwe,rcall' \
	$(git ls-files | grep -vE '^(tests/data|tests/fuzz/corpus)/|ui/src/i18n/fr\.ts|package-lock.json|\.(png|pem|bin|suit)$')
