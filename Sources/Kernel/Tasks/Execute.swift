import LinuxABI
import LoaderCore
import Platform

/// Running another program: execve(2).
public enum Execute {
    /// Replaces the current process's program by the file at `path`, which begins at `directory`
    /// unless it is absolute; `frame` is then the program's first registers.
    ///
    /// Every error comes before anything has changed. What fails after that kills the process, as
    /// on Linux.
    public static func execute(
        _ path: [UInt8],
        in directory: Int32 = PathFlags.workingDirectory,
        _ flags: PathFlags = [],
        arguments: StringList,
        environment: StringList,
        frame: UnsafeMutablePointer<trap_frame>
    ) throws(Errno) {
        let thread = Thread.current
        let process = thread.process!
        if thread.signals.isEnding { throw .interrupted }
        let program = try program(path, directory, flags, arguments, process)
        let credentials = try credentials(for: program, process)
        let layout = try ProgramLayout(program, environment, credentials, process)
        let isShared = process.addressSpace.users > 1
        if isShared { layout.space.platformSpace = try .create() }
        try endOtherThreads(of: thread)

        RobustList.release(thread)
        thread.clearOnExit = 0
        thread.restartableSequence = RestartableSequence()
        if !isShared { layout.space.replace(process.addressSpace) }
        process.addressSpace = layout.space
        Scheduler.enterOwnSpace()
        process.endBorrowing()
        process.credentials = credentials
        do throws(Errno) { try layout.map() } catch {
            Process.exitCurrent(.killed(signal: Signal.kill.number, dumpedCore: false))
        }
        process.becomeProgram(thread, layout)
        thread.saved.pointee.resetVectorState()
        vector_state_restore(thread.vectorState, .max)
        thread_pointer_write(0)
        layout.setRegisters(&frame.pointee)
    }

    /// Loads the first program of a thread that has not run yet; its frame is then ready.
    public static func start(
        _ path: [UInt8],
        arguments: StringList,
        environment: StringList,
        thread: Thread
    ) throws(Errno) {
        let process = thread.process!
        let program = try program(
            path,
            PathFlags.workingDirectory,
            [],
            arguments,
            process
        )
        let credentials = try credentials(for: program, process)
        let layout = try ProgramLayout(program, environment, credentials, process)
        layout.space.platformSpace = .first
        process.addressSpace = layout.space
        // A fault on the new stack while it is written is this thread's.
        let own = Process.current
        own.addressSpace = layout.space
        defer { if own !== process { own.addressSpace = nil } }
        process.credentials = credentials
        try layout.map()
        process.becomeProgram(thread, layout)
        process.hasExecuted = false
        layout.setRegisters(&thread.frame.pointee)
    }

    private static func program(
        _ path: [UInt8],
        _ directory: Int32,
        _ flags: PathFlags,
        _ arguments: StringList,
        _ process: Process
    ) throws(Errno) -> ExecutableProgram {
        var outcome: Result<ExecutableProgram, Errno> = .failure(.noSuchFileOrDirectory)
        path.withUnsafeBytes { bytes in
            do throws(Errno) {
                outcome = .success(
                    try ExecutableProgram(
                        VFS.Place(directory, bytes),
                        flags,
                        path: name(path, directory),
                        arguments: arguments,
                        process: process
                    )
                )
            } catch { outcome = .failure(error) }
        }
        return try outcome.get()
    }

    /// How a program is named to itself and to its interpreter: execveat(2), "NOTES".
    private static func name(_ path: [UInt8], _ directory: Int32) -> [UInt8] {
        if directory == PathFlags.workingDirectory || path.first == UInt8(ascii: "/") {
            return path
        }
        var text = TextBuffer()
        text.append("/dev/fd/")
        text.append(UInt64(UInt32(bitPattern: directory)))
        if !path.isEmpty {
            text.append("/")
            text.append(path)
        }
        return text.bytes
    }

    /// The identities after set-user-ID and set-group-ID bits, credentials(7).
    private static func credentials(for program: ExecutableProgram, _ process: Process)
        throws(Errno) -> Credentials
    {
        var credentials = process.credentials
        let status = try program.file.file.status()
        if !process.attributes.hasNoNewPrivileges {
            if status.mode & 0o4000 != 0 { credentials.effectiveUser = status.user }
            // Without the group's execute bit the other bit means mandatory locking.
            if status.mode & 0o2010 == 0o2010 { credentials.effectiveGroup = status.group }
        }
        credentials.savedUser = credentials.effectiveUser
        credentials.fileSystemUser = credentials.effectiveUser
        credentials.savedGroup = credentials.effectiveGroup
        credentials.fileSystemGroup = credentials.effectiveGroup
        return credentials
    }

    /// Leaves the current thread alone in its process, with the process's number.
    private static func endOtherThreads(of thread: Thread) throws(Errno) {
        let process = thread.process!
        guard process.executingThread == nil, !process.gathersThreads else { throw .interrupted }
        process.executingThread = thread
        defer { process.executingThread = nil }
        process.endOtherThreads()
        while process.threadCount > 1 {
            try? process.threadEnded.wait(isInterruptible: false)
        }
        if process.exitStatus != nil { Thread.endCurrent() }
        if thread.id != process.id { ThreadTable.renumber(thread, process.id) }
        process.leaderStatus = nil
    }
}

extension Process {
    /// What execve(2) changes beside memory and registers.
    fileprivate func becomeProgram(_ thread: Thread, _ layout: ProgramLayout) {
        addressSpace.textKeeper = AddressSpace.makeTextKeeper?()
        descriptors.closeOnExec()
        signals.resetHandlers()
        timers.deletePosixTimers()
        thread.signals.alternateStack = SignalStack()
        thread.signals.lastException = ExceptionRecord()
        thread.restartBlock = nil
        thread.cancelDeferred()
        thread.name = layout.name
        attributes.isDumpable = !layout.isSecure
        attributes.keepsCapabilities = false
        attributes.barriers = 0
        executable = layout.image
        hasExecuted = true
    }
}
