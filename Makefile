# Thin on purpose: the work is in cargo, in `glassplate demo` and in .ci/.
.PHONY: help demo test bench lint

help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

demo: ## fetch models and a few photographs, ingest them, search them
	@.ci/tools
	cargo run --release -p glassplate -- demo

test: ## every test, with what the tests need fetched first
	@.ci/tools --tests
	@.ci/test

bench: ## measure renditions and the whole ingest against vipsthumbnail, then the search at 100,000 records
	@.ci/tools --tests
	cargo build --release --workspace
	target/release/bench-render
	target/release/bench-ingest
	target/release/bench-search

lint: ## format, clippy, docs, direction, licences, paths
	@.ci/tools --lint
	@.ci/lint
