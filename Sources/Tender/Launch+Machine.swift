import Glibc
import LaunchRecord

/// A run in a virtual machine.
extension Launch {
    func emulate(
        image: String,
        files: KernelProcess.Files,
        _ program: ProgramFile?,
        _ volumes: [VolumeFolder],
        _ core: CoreFile?
    ) throws(LaunchFailure) -> Int32 {
        try requireRoom(for: volumes)
        let disks = try DiskFile.open(request.disks)
        let network = try openNetwork()
        let emulator = try VirtualMachine.emulator.requirePath(for: "run a virtual machine")
        let accelerator = request.accelerator ?? Accelerator.ofHost()
        if accelerator == .kvm { try Accelerator.requireKVM() }
        if accelerator == .tcg, request.accelerator == nil, request.verbosity != .quiet {
            reportLine("this processor runs no virtual machines (no vmx or svm): it is emulated")
        }
        if request.verbosity != .quiet, let notice = network?.notice { reportLine(notice) }
        var port: UInt16?
        if request.waitsForDebugger { port = try DebuggerPort.find(request.debuggerPort) }
        let signals = try SignalProxy()
        let machine = try VirtualMachine(
            emulator: emulator,
            image: image,
            module: try BootModule.make(files),
            memory: request.memoryLimit ?? MemorySize.ofMachine,
            model: request.machine,
            accelerator: accelerator,
            disks: disks,
            volumes: volumes,
            network: network,
            debuggerPort: port
        )
        if request.verbosity == .verbose { reportLine("runs in QEMU, process \(machine.pid)") }
        let symbols = KernelImage.symbols(of: image)
        guard let port else { return follow(machine, signals, files, program, core, symbols) }
        let session = DebuggerSession(
            kernel: machine.pid,
            port: port,
            image: image,
            program: program
        )
        reportLine(try session.announce())
        defer { session.remove() }
        return follow(machine, signals, files, program, core, symbols)
    }

    /// A microvm has places for eight devices of virtio; three are the machine's own.
    private func requireRoom(for volumes: [VolumeFolder]) throws(LaunchFailure) {
        let others = request.disks.count + (request.network == .none ? 0 : 1)
        let limit = request.machine == .microvm ? 5 - others : 16
        guard volumes.count > limit, !volumes.isEmpty else { return }
        let advice = request.machine == .microvm ? "give --machine q35" : "give fewer"
        throw LaunchFailure("this machine has room for \(max(limit, 0)) volumes; \(advice)")
    }

    /// Opens the host's end of the machine's network.
    private func openNetwork() throws(LaunchFailure) -> TapInterface? {
        guard case .tap(let name) = request.network, let address = request.address else {
            return nil
        }
        return try TapInterface(name: name, address: address)
    }

    private func follow(
        _ machine: VirtualMachine,
        _ signals: SignalProxy,
        _ files: KernelProcess.Files,
        _ program: ProgramFile?,
        _ core: CoreFile?,
        _ symbols: String
    ) -> Int32 {
        var streams: [Int32] = [0, 1, 2] + Array(repeating: -1, count: 7)
        streams[Int(HostDescriptor.trace.rawValue)] = files.trace
        streams[Int(HostDescriptor.statistics.rawValue)] = files.statistics
        let name = request.program
        var supervisor = MachineSupervisor(
            machine: machine,
            signals: signals,
            streams: streams,
            core: core,
            symbols: symbols,
            isWatched: !request.waitsForDebugger
        ) {
            reportLine(
                "\(name): keeps the processor's interrupts off (cli), which is the kernel's to do: "
                    + "it gets SIGSEGV, as it would in a process"
            )
        }
        let end = supervisor.run()
        program?.keep(supervisor.knownSites)
        let status = report(end, hasLastWords: supervisor.hasLastWords)
        if status > 128 || status == LaunchFailure.unirunStatus { supervisor.restoreTerminal() }
        if files.statistics >= 0 { showStatistics(files.statistics, program) }
        return status
    }

    /// One line where the kernel has not said it all; the status to exit with.
    private func report(_ end: MachineEnd, hasLastWords: Bool) -> Int32 {
        switch end {
        case .exited(let status): return status
        case .endedBeforeStart(let signal): return 128 + signal
        case .kernelDied where hasLastWords: break
        case .kernelDied: say("the machine ended by itself, and did not say why")
        case .hung(hasStarted: true):
            say("the machine does not answer any more: its kernel is broken; it was ended")
        case .hung(hasStarted: false):
            say("the machine does not start; try more memory (--memory), or --accel tcg")
        case .acceleratorFailed(let reason):
            say("KVM cannot run this machine (\(reason)); give --accel tcg to emulate it")
        case .reset:
            say(
                "the machine was reset by a triple fault: the program broke what the processor needs "
                    + "(page or descriptor tables)"
            )
        case .emulatorKilled(SIGKILL):
            say("QEMU was killed (SIGKILL): by somebody, or for want of memory")
            return 128 + SIGKILL
        case .emulatorKilled(let signal):
            say("QEMU died of signal \(signal)")
        case .emulatorEnded(_, reason: "host-signal"?):
            say("QEMU was ended by a signal from outside")
        case .emulatorEnded(let status, let reason):
            let why = reason.map { " (\($0))" } ?? ""
            say("QEMU ended with status \(status)\(why); see what it said above")
        }
        return LaunchFailure.unirunStatus
    }

    private func say(_ text: String) { reportLine("\(request.program): \(text)") }
}
