# SPDX-License-Identifier: Apache-2.0
# What all recipes share: where things are, and the data, packed sequences that are made
# once from what Debian has. Each recipe is a Makefile of its own that includes this one:
#
#   make -C examples/recipes/continual
#
# The tools must be built (cmake --preset release && cmake --build --preset release), and
# make, wget, python3 and debian-handbook be there (.ci/deps.sh quickstart). A target gets its
# name when it is whole, so make goes on where it was stopped.
#
# OUT     folder of the recipe's output [out/recipes/NAME]; the data lie in OUT/../data
# LENGTH  of the sequences, in tokens
OUT ?= ../../../out/recipes/$(lastword $(notdir $(CURDIR)))
BIN ?= ../../../build/release/bin
LENGTH ?= 512
PYTHON ?= python3

recipes := $(dir $(lastword $(MAKEFILE_LIST)))
data := $(OUT)/../data
sluice := $(BIN)/sluice-
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

# What a tool leaves that is killed between writing a file and naming it.
tidy = mkdir -p $(@D); rm -f $(@D)/.sluice-*.tmp

# The last target of each recipe says what came out.
.PHONY: all
all: $(OUT)/summary
	@cat $<

# A plan's paths are relative to its folder: it runs beside the data.
$(OUT)/%.yaml: %.yaml
	$(tidy)
	cp $< $@.tmp
	mv $@.tmp $@

# ---- documents ----

# The Debian handbook in a language, crawled from a server on this machine.
handbooks := en-US de-DE
$(handbooks:%=$(data)/%/crawl.warc.gz):
	$(tidy)
	LANGUAGES=$(notdir $(@D)) $(recipes)../quickstart/crawl.sh $(@D)
$(handbooks:%=$(data)/%.docs): $(data)/%.docs: $(data)/%/crawl.warc.gz
	$(tidy)
	$(sluice)warc $< | $(sluice)extract -f -o $@

# What the packages of this machine are, as questions and answers.
$(data)/packages.docs:
	$(tidy)
	LC_ALL=C.UTF-8 $(PYTHON) $(recipes)packages.py | $(sluice)import -f -o $@

# The licences that every Debian has.
$(data)/licences.docs:
	$(tidy)
	$(sluice)import -f --format text /usr/share/common-licenses/* -o $@

# ---- sequences ----

$(data)/%.arrows: $(data)/%.docs
	$(tidy)
	$(sluice)dedup --exact $< | $(sluice)difficulty | $(sluice)tokenize \
	 | $(sluice)pack -f --length $(LENGTH) -o $@
