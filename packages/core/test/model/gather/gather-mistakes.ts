/** What group calls and membership can get wrong, one at a time: each leaves out one rule of the design. */
export type GatherMistake =
  // Announcements
  | 'a topic is subscribed to before it is announced'
  | 'the end of a topic is announced before it is unsubscribed from'
  | 'a topic is announced again before all has come by its last subscription'
  | 'announcements that were lost are not asked for'
  | 'nodes out of step are not expected'
  | 'what was missed without the engine is not doubted'
  | 'calls are heeded before others know that the node is there'
  // Calls
  | 'no barrier'
  | 'a barrier that fails is taken for one that was passed'
  | 'silent nodes are not asked'
  | 'calls are not remembered'
  | 'targets are not named over the link'
  | 'targets that are named again are open again'
  | 'a node that leaves takes new calls'
  // Epochs
  | 'what a node owes that is given up is waited for'
  | 'a node that is given up before its announcements were read is left out'
  | 'a node that is lost twice is unreached twice'
  | 'what comes of an epoch that was given up counts'
  | 'a new epoch does not end the last'
  | 'a new epoch names targets of the last'
  | 'a node goes on in an epoch that was given up'
  | 'a caller that was given up waits on'
  | 'calls do not name nodes that were given up'
  | 'the next epoch takes calls that do not know it'
