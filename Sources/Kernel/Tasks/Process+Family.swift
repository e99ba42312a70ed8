import LinuxABI

/// Parents and children.
extension Process {
    /// Makes a process a child of this one, the youngest.
    func adopt(_ child: Process) {
        child.parent = self
        child.nextSibling = nil
        child.previousSibling = lastChild
        if let lastChild { lastChild.nextSibling = child } else { firstChild = child }
        lastChild = child
    }

    func leaveParent() {
        guard let parent else { return }
        let (previous, next) = (previousSibling, nextSibling)
        if let previous { previous.nextSibling = next } else { parent.firstChild = next }
        if let next { next.previousSibling = previous } else { parent.lastChild = previous }
        self.parent = nil
    }

    func forEachChild(_ body: (Process) -> Void) {
        unowned(unsafe) var cursor = firstChild
        while let child = cursor {
            cursor = child.nextSibling
            body(child)
        }
    }

    /// Gives the children to who takes orphans: the next ancestor with PR_SET_CHILD_SUBREAPER, or the
    /// kernel.
    func giveChildrenAway() {
        unowned(unsafe) var heir = parent
        while let ancestor = heir, !ancestor.attributes.isSubreaper || ancestor.hasEnded {
            heir = ancestor.parent
        }
        forEachChild { child in
            child.leaveParent()
            if child.attributes.parentDeathSignal != 0,
                let signal = Signal(number: Int(child.attributes.parentDeathSignal))
            {
                Signals.send(signal, to: child)
            }
            if let heir {
                heir.adopt(child)
                child.exitSignal = .child
            }
            if child.hasEnded { child.tellEnd() } else { child.tellGroupIfOrphaned(by: self) }
        }
    }

    /// All threads have ended; only the status is left, for the parent.
    public var hasEnded: Bool { threadCount == 0 }

    /// Tells the parent that the process has ended. Where nobody will ask for the status it is gone.
    func tellEnd() {
        guard let parent else { return ProcessTable.put(self) }
        let news = ChildNews(.ended, of: self)
        let action = parent.signals[.child]
        let nobodyAsks = action.isIgnored || action.flags.contains(.noChildWait)
        if let exitSignal {
            _ = try? Signals.send(exitSignal, news.information(exitSignal), to: parent)
        }
        if exitSignal == .child, nobodyAsks {
            leaveParent()
            ProcessTable.put(self)
        }
        parent.childNews.wake()
    }

    /// The parent asked for the status: the process is gone.
    func bury(_ parent: Process) {
        parent.childrenUse.add(self)
        leaveParent()
        ProcessTable.put(self)
    }

    /// The process has memory of its own from now on, or none: a parent in vfork(2) goes on.
    func endBorrowing() {
        guard isBorrowing else { return }
        isBorrowing = false
        borrowingEnded.wake()
    }
}

/// What children used that were waited for, and their own such children: getrusage(2), times(2).
struct ChildrenUse {
    var processorTime: Nanoseconds = 0
    var voluntarySwitches = 0
    var involuntarySwitches = 0

    mutating func add(_ child: Process) {
        processorTime &+= child.processorTimeOfEnded &+ child.childrenUse.processorTime
        voluntarySwitches &+=
            child.voluntarySwitchesOfEnded &+ child.childrenUse.voluntarySwitches
        involuntarySwitches &+=
            child.involuntarySwitchesOfEnded &+ child.childrenUse.involuntarySwitches
    }
}
