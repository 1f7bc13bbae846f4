/// <reference path="../../../scripts/guide-modules.d.ts" />
// The tests that the guide shows, of an application that orders.
import 'guide:testing/orders.test.ts'
