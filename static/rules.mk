# How the pages of the help are made from their sources in static/help/; the Makefile includes this.

.PHONY: help-pages

HELP_MAKER := $(patsubst %.c,$(B)/%.o,$(wildcard static/help/maker/*.c))
RECIPES    := $(sort $(wildcard static/help/recipes/*))

help-pages: $(filter $(B)/static/help/%,$(STATIC)) ## make the help's pages anew: build/static/help

$(B)/static/help/maker/pages: $(HELP_MAKER) $(LIBRARY)
	$(call Q,link) $(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

$(B)/static/help/%.html: static/help/%.html $(B)/static/help/maker/pages static/openapi.json $(RECIPES)
	@mkdir -p $(@D)
	$(call Q,page) $(B)/static/help/maker/pages $< static/openapi.json $(RECIPES) > $@

# The dark colours for whom no script says which are wanted.
$(B)/static/dark.css: static/style.css static/rules.mk
	@mkdir -p $(@D)
	$(call Q,sed) sed -n 's/^:root\[data-theme="dark"\]/:root:not([data-theme])/; /^:root:not/,/^}/p' $< > $@
