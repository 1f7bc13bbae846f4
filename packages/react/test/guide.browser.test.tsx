/// <reference path="../../../scripts/guide-modules.d.ts" />
// The tests that the guide shows, of a component.
import 'guide:react-testing/deploy.test.tsx'
