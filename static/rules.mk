# How the pages of the help are made from their sources in static/help/; the Makefile includes this.

.PHONY: help-pages

# Not below $(B)/static, which is served.
HELP_MAKER := $(patsubst static/help/maker/%.c,$(B)/help/%.o,$(wildcard static/help/maker/*.c))
RECIPES    := $(sort $(wildcard static/help/recipes/*))

help-pages: $(filter $(B)/static/help/%,$(STATIC)) ## make the help's pages anew: build/static/help

$(B)/help/%.o: static/help/maker/%.c Makefile
	@mkdir -p $(@D)
	$(call Q,cc) $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/help/pages: $(HELP_MAKER) $(LIBRARY)
	$(call Q,link) $(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

$(B)/static/help/%.html: static/help/%.html $(B)/help/pages static/openapi.json $(RECIPES)
	@mkdir -p $(@D)
	$(call Q,page) $(B)/help/pages $< static/openapi.json $(RECIPES) > $@

# The dark colours for whom no script says which are wanted.
$(B)/static/dark.css: static/style.css static/rules.mk
	@mkdir -p $(@D)
	$(call Q,sed) sed -n 's/^:root\[data-theme="dark"\]/:root:not([data-theme])/; /^:root:not/,/^}/p' $< > $@
