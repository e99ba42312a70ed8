import LinuxABI
import Platform
import Testing

@testable import Kernel

/// A process that runs with a frame on a stack of its own.
private func frame(_ machine: TaskMachine, call: UInt64 = .max, result: Int64 = 0) -> trap_frame {
    var frame = trap_frame()
    frame.rip = 0x40_1002
    // The top of the machine's memory, off any alignment.
    frame.rsp = UInt64(machine.address(0)) + UInt64(TaskMachine.memorySize) - 1000
    frame.rbx = 0x1234
    frame.rflags = 0x602
    frame.cs = 0x33
    frame.ss = 0x2b
    frame.original_rax = call
    frame.rax = UInt64(bitPattern: result)
    return frame
}

private let handler: UInt = 0x40_5000

private func catching(
    _ machine: TaskMachine,
    _ signal: Signal,
    _ flags: SignalActionFlags = [],
    mask: SignalSet = []
) {
    let action = SignalAction(
        handler: handler,
        flags: flags.union(.restorer),
        restorer: 0x40_6000,
        mask: mask
    )
    _ = try? machine.process.setAction(action, for: signal)
}

private func send(_ machine: TaskMachine, _ signal: Signal) {
    Signals.send(signal, to: machine.process)
}

@Suite struct SignalTests {
    @Test func structuresHaveLinuxSizes() {
        #expect(MemoryLayout<SignalInformation>.size == 48)
        #expect(MemoryLayout<SignalAction>.size == 32)
        #expect(MemoryLayout<SignalStack>.size == 24)
        #expect(MemoryLayout<SignalContext>.size == 256)
        #expect(MemoryLayout<UserContext>.size == 304)
        #expect(MemoryLayout<SignalFrame>.size == 440)
        #expect(MemoryLayout<VectorStateDescription>.size == 48)
        #expect(MemoryLayout<SignalEvent>.size == 64)
        #expect(MemoryLayout<SystemInformation>.size == 112)
        #expect(MemoryLayout<ResourceUsage>.size == 144)
        #expect(MemoryLayout<SystemNameRecord>.size == 390)
        #expect(MemoryLayout<CloneArguments>.size == 88)
        #expect(MemoryLayout<SignalFrame>.offset(of: \.context) == 8)
        #expect(MemoryLayout<SignalFrame>.offset(of: \.information) == 312)
        #expect(MemoryLayout<SignalContext>.offset(of: \.vectorState) == 184)
        #expect(MemoryLayout<SignalContext>.offset(of: \.rip) == 128)
    }

    @Test func handlerGetsSignalInformationAndContext() {
        var result = trap_frame()
        var image = SignalFrame()
        var before = trap_frame()
        _ = TaskMachine.run { machine in
            catching(machine, .terminate, .information)
            try? Signals.kill(machine.process.id, .terminate)
            before = frame(machine)
            result = before
            Signals.deliver(&result, restart: .never)
            image = (try? UserPointer<SignalFrame>(UInt(result.rsp)).load()) ?? image
        }
        #expect(result.rip == UInt64(handler))
        #expect(result.rdi == 15)
        #expect(result.rsp % 16 == 8)
        #expect(result.rsp < before.rsp - 128)
        #expect(result.rsi == result.rsp + 312)
        #expect(result.rdx == result.rsp + 8)
        #expect(result.rflags & 0x400 == 0)
        #expect(image.returnAddress == 0x40_6000)
        #expect(image.context.registers.rip == before.rip)
        #expect(image.context.registers.rbx == 0x1234)
        #expect(image.context.registers.vectorState % 64 == 0)
        #expect(image.information.signal == 15)
        #expect(image.information.code == SignalInformation.user)
        #expect(UInt32(truncatingIfNeeded: image.information.words[0]) == 2)
    }

    @Test func vectorStateCarriesItsDescriptionAndMagic() {
        var description = VectorStateDescription(features: 0, size: 0)
        var second: UInt32 = 0
        _ = TaskMachine.run { machine in
            catching(machine, .terminate)
            send(machine, .terminate)
            var frame = frame(machine)
            Signals.deliver(&frame, restart: .never)
            guard let image = try? UserPointer<SignalFrame>(UInt(frame.rsp)).load() else { return }
            let state = UInt(image.context.registers.vectorState)
            description =
                (try? UserPointer<VectorStateDescription>(state + 464).load()) ?? description
            second = (try? UserPointer<UInt32>(state + UInt(description.size)).load()) ?? 0
        }
        #expect(description.magic == 0x4650_5853)
        #expect(description.extendedSize == description.size + 4)
        #expect(second == 0x4650_5845)
    }

    @Test func returnFromHandlerRestoresRegistersAndMask() {
        var before = trap_frame()
        var after = trap_frame()
        var masks: [SignalSet] = []
        _ = TaskMachine.run { machine in
            let thread = Thread.current
            catching(machine, .terminate, mask: SignalSet(.hangUp))
            thread.signals.setMask(SignalSet(.alarm), of: thread)
            send(machine, .terminate)
            before = frame(machine)
            after = before
            Signals.deliver(&after, restart: .never)
            masks.append(thread.signals.mask)
            after.rsp += 8
            after.rbx = 0
            after.rip = 0
            Signals.returnFromHandler(&after)
            masks.append(thread.signals.mask)
        }
        #expect(after.rip == before.rip)
        #expect(after.rsp == before.rsp)
        #expect(after.rbx == before.rbx)
        #expect(after.cs == before.cs)
        #expect(
            masks == [
                [SignalSet(.alarm), SignalSet(.terminate), SignalSet(.hangUp)], SignalSet(.alarm),
            ]
        )
    }

    @Test func hostileFrameIsASegmentationFault() {
        for destroy in [
            { (image: inout SignalFrame) in image.context.registers.rip = 1 << 63 },
            { (image: inout SignalFrame) in image.context.registers.vectorState = 1 << 50 },
        ] {
            let status = TaskMachine.run { machine in
                catching(machine, .terminate)
                send(machine, .terminate)
                var frame = frame(machine)
                Signals.deliver(&frame, restart: .never)
                let pointer = UserPointer<SignalFrame>(UInt(frame.rsp))
                guard var image = try? pointer.load() else { return }
                destroy(&image)
                try? pointer.store(image)
                frame.rsp += 8
                Signals.returnFromHandler(&frame)
                Signals.deliver(&frame, restart: .never)
            }
            #expect(status == .killed(signal: 11, dumpedCore: false))
        }
    }

    @Test func vectorStateFromTheProgramIsSanitized() {
        var flags: UInt32 = 0
        _ = TaskMachine.run { machine in
            catching(machine, .terminate)
            send(machine, .terminate)
            var frame = frame(machine)
            Signals.deliver(&frame, restart: .never)
            guard let image = try? UserPointer<SignalFrame>(UInt(frame.rsp)).load() else { return }
            let state = UInt(image.context.registers.vectorState)
            try? UserPointer<UInt32>(state + 24).store(0xffff_1f80)
            // Features that do not exist, and a header that xrstor refuses.
            try? UserPointer<UInt64>(state + 512).store(.max)
            try? UserPointer<UInt64>(state + 520).store(.max)
            try? UserPointer<UInt64>(state + 560).store(.max)
            frame.rsp += 8
            Signals.returnFromHandler(&frame)
            let area = Thread.current.vectorState
            vector_state_save_all(area)
            flags = area.load(fromByteOffset: 24, as: UInt32.self)
        }
        #expect(flags & 0xffff_0000 == 0)
        #expect(flags & 0x1f80 == 0x1f80)
    }

    @Test func realTimeSignalsQueueAndStandardOnesDoNot() {
        var taken: [Int32] = []
        var values: [UInt64] = []
        _ = TaskMachine.run { machine in
            let thread = Thread.current
            thread.signals.setMask(SignalSet(rawValue: .max), of: thread)
            for value in 1...3 as ClosedRange<UInt64> {
                let signal = Signal(rawValue: 40)
                let information = SignalInformation(
                    signal,
                    code: SignalInformation.queue,
                    senderProcess: 2,
                    senderUser: 0,
                    value: value
                )
                _ = try? Signals.send(signal, information, to: machine.process)
                send(machine, .hangUp)
            }
            while let information = Signals.take(SignalSet(rawValue: .max), by: thread) {
                taken.append(information.signal)
                values.append(information.words[1])
            }
        }
        #expect(taken == [1, 40, 40, 40])
        #expect(values.dropFirst() == [1, 2, 3])
        #expect(PendingSignals.queuedCount == 0)
    }

    @Test func defaultActionsEndOrIgnore() {
        #expect(ending(.windowChange) == .exited(0))
        #expect(ending(.child) == .exited(0))
        #expect(ending(.terminate) == .killed(signal: 15, dumpedCore: false))
        #expect(ending(.abort)?.shellStatus == 134)
    }

    private func ending(_ signal: Signal) -> Kernel.ExitStatus? {
        TaskMachine.run { machine in
            try? Signals.kill(machine.process.id, signal)
            var frame = frame(machine)
            Signals.deliver(&frame, restart: .never)
        }
    }

    @Test func ignoredSignalIsForgottenAndBlockedOneIsKept() {
        var pending: [SignalSet] = []
        _ = TaskMachine.run { machine in
            let thread = Thread.current
            thread.signals.setMask(SignalSet(.terminate), of: thread)
            send(machine, .terminate)
            send(machine, .windowChange)
            pending.append(Signals.pending(for: thread))
            _ = try? machine.process.setAction(
                SignalAction(handler: SignalAction.ignored),
                for: .terminate
            )
            pending.append(Signals.pending(for: thread))
        }
        #expect(pending == [SignalSet(.terminate), []])
    }

    @Test func interruptedCallRestartsAsItsRuleAndTheHandlerSay() {
        let call: UInt64 = 7
        let interrupted = -Int64(Errno.interrupted.rawValue)
        func outcome(_ rule: RestartClass, _ flags: SignalActionFlags?) -> (UInt64, UInt64) {
            var outcome: (UInt64, UInt64) = (0, 0)
            _ = TaskMachine.run { machine in
                if let flags { catching(machine, .terminate, flags) }
                var frame = frame(machine, call: call, result: interrupted)
                Thread.current.signals.interruptedWait = true
                send(machine, flags == nil ? .windowChange : .terminate)
                Thread.current.signals.needsAttention = true
                Signals.deliver(&frame, restart: rule)
                if flags != nil {
                    frame.rsp += 8
                    Signals.returnFromHandler(&frame)
                }
                outcome = (frame.rax, frame.rip)
            }
            return outcome
        }
        let failed = (UInt64(bitPattern: interrupted), 0x40_1002 as UInt64)
        let again = (call, 0x40_1000 as UInt64)
        #expect(outcome(.never, nil) == failed)
        #expect(outcome(.never, .restart) == failed)
        #expect(outcome(.byAction, nil) == again)
        #expect(outcome(.byAction, .restart) == again)
        #expect(outcome(.byAction, []) == failed)
        #expect(outcome(.withoutHandler, nil) == again)
        #expect(outcome(.withoutHandler, .restart) == failed)
    }

    @Test func alternateStackIsUsedAndReported() {
        var inside = false
        var flags: [Int32] = []
        var refusal: Errno?
        _ = TaskMachine.run { machine in
            let thread = Thread.current
            let base = machine.address(0)
            let stack = SignalStack(base: base, flags: 0, size: 32 << 10)
            try? Signals.setAlternateStack(stack, of: thread, stackPointer: 0)
            catching(machine, .terminate, .onStack)
            send(machine, .terminate)
            var frame = frame(machine)
            Signals.deliver(&frame, restart: .never)
            inside = frame.rsp > UInt64(base) && frame.rsp < UInt64(base) + 32 << 10
            flags.append(Signals.alternateStack(of: thread, stackPointer: frame.rsp).flags)
            flags.append(Signals.alternateStack(of: thread, stackPointer: 0).flags)
            do throws(Errno) {
                try Signals.setAlternateStack(stack, of: thread, stackPointer: frame.rsp)
            } catch { refusal = error }
        }
        #expect(inside)
        #expect(flags == [SignalStack.inUse, 0])
        #expect(refusal == .notPermitted)
    }

    @Test func threadThatWaitsForASignalTakesItWithoutAHandler() {
        var taken: Int32 = 0
        var timedOut: Errno?
        _ = TaskMachine.run { machine in
            let thread = Thread.current
            thread.signals.setMask(SignalSet(.alarm), of: thread)
            machine.start {
                let own = Thread.current
                own.signals.setMask(SignalSet(.alarm), of: own)
                send(machine, .alarm)
            }
            taken = (try? Signals.wait(for: SignalSet(.alarm), until: .never))?.signal ?? -1
            do throws(Errno) {
                _ = try Signals.wait(for: SignalSet(.alarm), until: now() + 1000)
            } catch { timedOut = error }
        }
        #expect(taken == 14)
        #expect(timedOut == .wouldBlock)
    }

    @Test func signalEndsAWaitAndSuspendGivesTheMaskBack() {
        var failure: Errno?
        var masks: [SignalSet] = []
        _ = TaskMachine.run { machine in
            let thread = Thread.current
            catching(machine, .hangUp)
            thread.signals.setMask(SignalSet(.hangUp), of: thread)
            machine.start {
                let own = Thread.current
                own.signals.setMask(SignalSet(.hangUp), of: own)
                send(machine, .hangUp)
            }
            do throws(Errno) { try Signals.suspend(with: SignalSet(.alarm)) } catch {
                failure = error
            }
            masks.append(thread.signals.mask)
            var frame = frame(machine, call: 130, result: -4)
            Signals.deliver(&frame, restart: .withoutHandler)
            frame.rsp += 8
            Signals.returnFromHandler(&frame)
            masks.append(thread.signals.mask)
        }
        #expect(failure == .interrupted)
        #expect(masks == [SignalSet(.alarm), SignalSet(.hangUp)])
    }

    @Test func processWideSignalGoesToAThreadThatDoesNotBlockIt() {
        var taker: Int32 = 0
        var other: Int32 = 0
        _ = TaskMachine.run { machine in
            catching(machine, .hangUp)
            let main = Thread.current
            main.signals.setMask(SignalSet(.hangUp), of: main)
            let waiter = machine.start {
                do throws(Errno) { try Signals.pause() } catch { taker = Thread.current.id }
            }
            other = waiter.id
            Scheduler.yield()
            send(machine, .hangUp)
            Scheduler.yield()
        }
        #expect(taker == other)
        #expect(taker != 0)
    }

    @Test func faultOfABlockedSignalKills() {
        let status = TaskMachine.run { machine in
            let thread = Thread.current
            catching(machine, .floatingPoint)
            thread.signals.setMask(SignalSet(.floatingPoint), of: thread)
            var frame = frame(machine)
            Signals.raiseException(vector: 0, address: 0, error: 0, frame: &frame)
            Signals.deliver(&frame, restart: .never)
        }
        #expect(status == .killed(signal: 8, dumpedCore: false))
    }

    @Test func exitOfTheProcessEndsWaitingThreads() {
        let status = TaskMachine.run { machine in
            for _ in 0..<3 {
                machine.start {
                    try? Futex.wait(machine.address(0), expected: 0, isShared: false)
                    var frame = frame(machine)
                    Signals.deliver(&frame, restart: .never)
                }
            }
            Scheduler.yield()
            Process.exitCurrent(.exited(3))
        }
        #expect(status == .exited(3))
    }
}
